"""Which browser is taken, and what happens on machines that have none."""

import os
import shutil
import socket
import zipfile
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

import browser

pytestmark = pytest.mark.slow

A_BROWSER = "#!/bin/sh\necho '<html><head></head><body></body></html>'\n"
NO_BROWSER = "#!/bin/sh\necho 'this is not the program that you look for'\n"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """A person's own machine without a browser, without a network; programs can be put on it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "playwright"))
    # Nobody listens on this port, so that the download is refused.
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:9")
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(browser, "APPLICATIONS", [])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    def put(name: str, script: str) -> Path:
        program = folder / name
        program.write_text(script)
        program.chmod(0o755)
        return program

    return put


Programs = Callable[[str, str], Path]


def apt_get(programs: Programs) -> None:
    """A package manager that writes down how it is called, and installs what is a browser."""
    folder = programs("cp", f'#!/bin/sh\nexec {shutil.which("cp", path=os.defpath)} "$@"\n').parent
    programs("template", A_BROWSER)
    calls = folder / "calls"
    programs(
        "apt-get",
        f'#!/bin/sh\necho "apt-get $* ($DEBIAN_FRONTEND)" >> {calls}\n'
        f'[ "$1" = update ] || cp {folder}/template {folder}/chromium\n',
    )
    programs("sudo", f'#!/bin/sh\necho "sudo $1" >> {calls}\nshift\nexec "$@"\n')


def calls(programs: Programs) -> str:
    log = programs("true", "").parent / "calls"
    return log.read_text() if log.exists() else ""


def test_what_is_installed_is_taken(programs: Programs) -> None:
    programs("google-chrome", A_BROWSER)
    expected = programs("chromium", A_BROWSER)
    assert browser.find_browser() == browser.provide() == str(expected)


def test_an_application_of_macos_is_taken(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = programs("Google Chrome", A_BROWSER)
    monkeypatch.setattr(browser, "APPLICATIONS", [application.with_name("Chromium"), application])
    assert browser.find_browser() == str(application)


def test_what_does_not_start_is_passed_over(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = programs("chromium", NO_BROWSER)
    edge = programs("microsoft-edge", A_BROWSER)
    assert browser.find_browser() == str(edge)
    assert capsys.readouterr().out == f"{broken} doesn't start.\n"


@pytest.mark.parametrize("absolute", [True, False])
def test_the_named_browser_goes_first(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, absolute: bool
) -> None:
    programs("chromium", A_BROWSER)
    mine = programs("my-browser", A_BROWSER)
    monkeypatch.setenv("CHROMIUM", str(mine) if absolute else mine.name)
    assert browser.find_browser() == str(mine)


@pytest.mark.parametrize(
    ("named", "sentence"),
    [("nowhere", "there is no program 'nowhere'"), ("broken", "'broken' doesn't start")],
)
def test_a_wrong_name_is_one_sentence_and_nothing_else_is_tried(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, named: str, sentence: str
) -> None:
    programs("chromium", A_BROWSER)
    programs("broken", NO_BROWSER)
    apt_get(programs)
    monkeypatch.setenv("CHROMIUM", named)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(browser.NoBrowser, match=f"^CHROMIUM: {sentence}"):
        browser.provide()
    assert calls(programs) == ""


def test_a_browser_that_hangs_does_not_start(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The child has the output open: it has to end too.
    path = programs("chromium", "#!/bin/sh\n/bin/sleep 600 &\nwait\n")
    monkeypatch.setattr(browser, "MAX_SECONDS_TO_START", 0.2)
    assert not browser.starts(str(path))


def test_on_a_persons_machine_nothing_is_installed(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    apt_get(programs)
    with pytest.raises(browser.NoBrowser, match=r"^No browser .*CHROMIUM=/path make test$"):
        browser.provide()
    first, second = capsys.readouterr().out.splitlines()
    assert first == "No browser is installed; Playwright downloads one ..."
    assert second.startswith("Playwright couldn't: ")
    assert "ECONNREFUSED" in second
    assert calls(programs) == ""


@pytest.fixture
def playwright_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once: what it does by itself without a network, the test above has seen."""
    monkeypatch.setattr(browser, "PLAYWRIGHT", ["/bin/false"])


UPDATE = "apt-get update -qq (noninteractive)\n"
INSTALL = "apt-get install -y -qq --no-install-recommends chromium (noninteractive)\n"


@pytest.mark.usefixtures("playwright_fails")
def test_in_ci_the_package_manager_is_called(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apt_get(programs)
    monkeypatch.setenv("CI", "true")
    assert Path(browser.provide()).name == "chromium"
    assert "Installing Chromium with apt-get ..." in capsys.readouterr().out
    assert calls(programs) == f"sudo -n\n{UPDATE}sudo -n\n{INSTALL}"


@pytest.mark.usefixtures("playwright_fails")
def test_root_calls_the_package_manager_without_sudo(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt_get(programs)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert Path(browser.provide()).name == "chromium"
    assert calls(programs) == UPDATE + INSTALL


@pytest.mark.usefixtures("playwright_fails")
def test_what_the_package_manager_says_is_told(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs("apt-get", "#!/bin/sh\necho 'W: old lists'\necho 'E: no room left' >&2\nexit 100\n")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(browser.NoBrowser, match=r"^No browser could be had\. Install"):
        browser.provide()
    assert "apt-get couldn't: E: no room left\n" in capsys.readouterr().out


def test_playwright_downloads_one_which_is_found_again(
    programs: Programs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The real Playwright, with a server that has what it asks for."""
    apt_get(programs)

    class Handler(SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            """An archive of what Playwright looks for in it, which its name tells."""
            name = Path(path).stem
            program = "headless_shell" if name.startswith("chromium") else "chrome-headless-shell"
            folder = "chrome-linux" if name.startswith("chromium") else name
            archive = tmp_path / f"{name}.zip"
            with zipfile.ZipFile(archive, "w") as file:
                file.writestr(f"{folder}/{program}" if "shell" in name else name, A_BROWSER)
            return str(archive)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("PLAYWRIGHT_SKIP_VALIDATE_HOST_REQUIREMENTS", "1")
        path = browser.provide()
        server.shutdown()
    assert Path(path).is_relative_to(tmp_path / "playwright")
    assert "Playwright downloads one" in capsys.readouterr().out
    assert browser.provide() == browser.find_browser() == path, "it is not downloaded again"
    assert capsys.readouterr().out == ""
    assert calls(programs) == ""


def test_a_download_that_hangs_is_given_up(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", host)
        monkeypatch.setattr(browser, "MAX_SECONDS_TO_DOWNLOAD", 1)
        with pytest.raises(browser.NoBrowser):
            browser.provide()
    assert "It was not ready after 1 seconds." in capsys.readouterr().out
