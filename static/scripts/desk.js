// Keys for officers: j and k go down and up the queue, o opens, c claims, x chooses; ? lists them.
// Nothing is done by a key that no button on the page does, and none works while somebody types, or has turned them
// off in this browser: whoever speaks to it would press them by accident (WCAG 2.1.4).
const LIST = document.getElementById("keys");
const OFF = "keys-off";
const off = LIST?.querySelector("input");
const rows = () => [...document.querySelectorAll("table.queue tbody tr")];
let at = -1;

if (off) {
  off.closest("p").hidden = false;
  off.checked = localStorage.getItem(OFF) !== null;
  off.addEventListener("change", () => (off.checked ? localStorage.setItem(OFF, "") : localStorage.removeItem(OFF)));
}

document.addEventListener("keydown", (event) => {
  if (off?.checked) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
  const row = rows()[at];
  const acts = {
    j: () => go(at + 1),
    k: () => go(at - 1),
    o: () => row?.querySelector(".name a")?.click(),
    c: () => row?.querySelector(".claim form button")?.click(),
    x: () => row?.querySelector("input[type=checkbox]")?.click(),
    "?": () => LIST && (LIST.open = !LIST.open),
  };
  if (!acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
});

function go(next) {
  const found = rows();
  if (!found.length) return;
  at = Math.max(0, Math.min(found.length - 1, next));
  found[at].querySelector(".name a")?.focus();
}
