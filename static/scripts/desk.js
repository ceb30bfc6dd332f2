// Keys for officers: j and k go down and up the queue, o opens, c claims, x chooses; ? lists them.
// Nothing is done by a key that no button on the page does, and none works while somebody types.
const LIST = document.getElementById("keys");
const rows = () => [...document.querySelectorAll("table.queue tbody tr")];
let at = -1;

document.addEventListener("keydown", (event) => {
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
