// Draws a procedure above the list that tells the same (templates/parts/diagram.html). A module, so that a page with
// many diagrams runs it once. Whatever goes wrong here, the list stays.
import "../vendor/bpmn-js/viewer.min.js";

const SMALLEST = 0.65; // below this nobody can read a name
const STEP = 60;
const SIGNS = { done: "✓", current: "●", fault: "!" };
const ARROWS = {
  ArrowLeft: { dx: STEP, dy: 0 }, ArrowRight: { dx: -STEP, dy: 0 },
  ArrowUp: { dx: 0, dy: STEP }, ArrowDown: { dx: 0, dy: -STEP },
};
const KEYS = { "+": "in", "=": "in", "-": "out", 0: "fit" };

async function source(url) {
  const reply = await fetch(url, { credentials: "same-origin" });
  if (!reply.ok) throw new Error(`${reply.status} for ${url}`);
  const bytes = await reply.arrayBuffer();
  // Chinese tools write GB 18030 and say so in the first line.
  const head = new TextDecoder("latin1").decode(bytes.slice(0, 200));
  const said = /^<\?xml[^>]*\sencoding\s*=\s*["']([\w-]+)["']/.exec(head);
  return new TextDecoder(said ? said[1] : "utf-8").decode(bytes);
}

function sign(mark) {
  const badge = document.createElement("span");
  badge.className = `diagram-badge mark-${mark.state}`;
  badge.textContent = `${SIGNS[mark.state]} ${mark.number || mark.count || ""}`.trim();
  badge.title = mark.text;
  return badge;
}

function mark(viewer, marks) {
  const [canvas, overlays, registry] = ["canvas", "overlays", "elementRegistry"].map((name) => viewer.get(name));
  for (const [element, each] of Object.entries(marks)) {
    if (!registry.get(element)) continue;
    canvas.addMarker(element, `mark-${each.state}`);
    overlays.add(element, { position: { top: -16, left: -10 }, html: sign(each) });
  }
}

// The whole if its names can be read then, else the part where the case is.
function fit(viewer, marks) {
  const canvas = viewer.get("canvas");
  canvas.zoom("fit-viewport", "auto");
  if (canvas.zoom() >= SMALLEST) return;
  canvas.zoom(SMALLEST);
  const drawn = Object.keys(marks).filter((element) => viewer.get("elementRegistry").get(element));
  const here = drawn.find((element) => marks[element].state !== "done") ?? drawn[0];
  centre(viewer, here ? middle(viewer, here) : { x: -Infinity, y: -Infinity });
}

function middle(viewer, element) {
  const shape = viewer.get("elementRegistry").get(element);
  if (shape.waypoints) return shape.waypoints[0];
  return { x: shape.x + shape.width / 2, y: shape.y + shape.height / 2 };
}

// As far as the drawing reaches: nobody needs to see the white beside it.
function centre(viewer, point) {
  const canvas = viewer.get("canvas");
  const view = canvas.viewbox();
  const place = (at, size, from, length) =>
    length <= size ? from - (size - length) / 2 : Math.min(Math.max(at - size / 2, from - 20), from + length - size + 20);
  const x = place(point.x, view.width, view.inner.x, view.inner.width);
  const y = place(point.y, view.height, view.inner.y, view.inner.height);
  canvas.viewbox({ x, y, width: view.width, height: view.height });
}

function act(viewer, tool) {
  const canvas = viewer.get("canvas");
  if (tool === "fit") canvas.zoom("fit-viewport", "auto");
  else canvas.zoom(canvas.zoom() * (tool === "in" ? 1.25 : 0.8));
}

// A finger moves the drawing sideways; up and down it scrolls the page, or a phone would be caught in it.
function followFingers(viewer, area) {
  let last = null;
  area.addEventListener("pointerdown", (event) => { last = event.pointerType === "touch" ? event.clientX : null; });
  area.addEventListener("pointerup", () => { last = null; });
  area.addEventListener("pointercancel", () => { last = null; });
  area.addEventListener("pointermove", (event) => {
    if (last === null) return;
    viewer.get("canvas").scroll({ dx: event.clientX - last, dy: 0 });
    last = event.clientX;
  });
}

function show(figure, viewer, element) {
  const canvas = viewer.get("canvas");
  for (const old of figure.querySelectorAll(".mark-shown")) old.classList.remove("mark-shown");
  canvas.addMarker(element, "mark-shown");
  if (canvas.zoom() < SMALLEST) canvas.zoom(0.8);
  centre(viewer, middle(viewer, element));
  const area = figure.querySelector(".diagram-canvas svg");
  area.focus({ preventScroll: true });
  figure.scrollIntoView({ block: "nearest" });
}

function equip(figure, viewer, area) {
  const registry = viewer.get("elementRegistry");
  const svg = area.querySelector("svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", figure.dataset.label);
  svg.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [move, tool] = [ARROWS[event.key], KEYS[event.key]];
    if (!move && !tool) return;
    if (move) viewer.get("canvas").scroll(move);
    else act(viewer, tool);
    event.preventDefault();
  });
  for (const button of figure.querySelectorAll("[data-tool]")) {
    button.addEventListener("click", () => act(viewer, button.dataset.tool));
  }
  const links = figure.id ? document.querySelectorAll(`a[href="#${CSS.escape(figure.id)}"][data-shows]`) : [];
  for (const way of [...figure.querySelectorAll("[data-shows]"), ...links]) {
    if (!registry.get(way.dataset.shows)) continue;
    way.hidden = false;
    way.addEventListener("click", (event) => {
      event.preventDefault();
      figure.closest("details")?.setAttribute("open", "");
      show(figure, viewer, way.dataset.shows);
    });
  }
  followFingers(viewer, area);
}

async function draw(figure) {
  const drawn = figure.querySelector(".diagram-drawn");
  const area = figure.querySelector(".diagram-canvas");
  drawn.hidden = false;
  try {
    const marks = JSON.parse(figure.dataset.marks);
    // The wheel belongs to the page.
    const viewer = new BpmnJS({ container: area, zoomScroll: { enabled: false } });
    await viewer.importXML(await source(figure.dataset.diagram));
    mark(viewer, marks);
    fit(viewer, marks);
    equip(figure, viewer, area);
    figure.dataset.drawn = "yes";
  } catch (reason) {
    console.warn(reason);
    drawn.hidden = true;
    figure.querySelector(".diagram-failed").hidden = false;
    figure.dataset.drawn = "no";
  }
}

// What is folded away has no size to draw in: it is drawn when it is opened. All else at once, because links lead to it.
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    draw(target);
  }
}, { rootMargin: "50000px" });
for (const figure of document.querySelectorAll("[data-diagram]")) seen.observe(figure);
