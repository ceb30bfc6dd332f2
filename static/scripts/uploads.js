// Warns beside a field for files as soon as one is chosen that is too large to be sent.
// The field says in data-largest how many bytes it takes, and in data-too-large what to say then.
document.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLInputElement) || !target.dataset.largest) return;
  const id = `${target.id}-too-large`;
  document.getElementById(id)?.remove();
  if (![...target.files].some((file) => file.size > Number(target.dataset.largest))) return;
  const warning = document.createElement("p");
  warning.id = id;
  warning.className = "wrong";
  warning.setAttribute("role", "alert");
  warning.textContent = target.dataset.tooLarge;
  target.after(warning);
  target.value = "";
});
