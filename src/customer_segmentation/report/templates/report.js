"use strict";
// Draws each plot into its place, and lets the reader choose the colours. The plots name colours as
// CSS variables, so that nothing has to be drawn anew when the theme changes or the page is printed.
const options = {
  actions: false, renderer: "svg", ast: true, defaultStyle: false,
  tooltip: { theme: "page", disableDefaultStyle: true },
};
const specs = document.querySelectorAll("script[data-spec]");

async function draw(script) {
  const place = document.querySelector(`[data-plot="${script.dataset.spec}"]`);
  try {
    await vegaEmbed(place, JSON.parse(script.textContent), options);
    // The place itself is the image, with its text; what it is made of would only be noise.
    place.querySelector("svg").setAttribute("aria-hidden", "true");
    place.dataset.drawn = "yes";
  } catch (error) {
    place.textContent = "This plot can't be drawn here; its figures are below.";
    console.error(error);
  }
}

(async () => {
  for (const script of specs) await draw(script);
  document.documentElement.dataset.drawn = "yes";
})();

const buttons = document.querySelectorAll("[data-choose]");
function choose(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const button of buttons) button.setAttribute("aria-pressed", button.dataset.choose === theme);
}
let remembered = "auto";
try { remembered = localStorage.getItem("theme") || "auto"; } catch { /* no storage for files here */ }
choose(remembered);
for (const button of buttons) {
  button.addEventListener("click", () => {
    choose(button.dataset.choose);
    try { localStorage.setItem("theme", button.dataset.choose); } catch { /* likewise */ }
  });
}

