// The refund form of a sale says what becomes of access while the amount is typed, and asks once more.

const form = (one) => one.closest?.("form[data-refund]");

/* Digits of an amount with as many decimals as the currency has, or null for what is no amount. */
function minor(text, places) {
  const match = /^([0-9]{1,12})(?:\.([0-9]{1,6}))?$/.exec(text.trim());
  if (!match || (match[2] ?? "").length > places) return null;
  return BigInt(match[1] + (match[2] ?? "").padEnd(places, "0"));
}

function weigh(asked) {
  const { amount, then } = asked.elements;
  const places = (asked.dataset.left.split(".")[1] ?? "").length;
  const left = minor(asked.dataset.left, places);
  const wanted = amount.value.trim() ? minor(amount.value, places) : left;
  if (wanted === null || wanted <= 0n || wanted > left) return "odd";
  if (then.value === "end") return "ends";
  if (then.value === "keep") return wanted === left ? "gives" : "keeps";
  return wanted === left ? "ends" : "keeps";
}

function show(asked) {
  const effect = weigh(asked);
  const button = asked.querySelector("[data-confirm]");
  const typed = asked.elements.amount.value.trim();
  const sum = typed ? `${typed} ${button.dataset.code}` : button.dataset.whole;
  const words = effect === "odd" ? "Refund" : `Refund ${sum}`;
  for (const one of asked.querySelectorAll("[data-effect]")) one.hidden = one.dataset.effect !== effect;
  for (const one of [button, ...asked.querySelectorAll("[data-sure]")]) one.textContent = words;
  button.disabled = effect === "odd";
  asked.querySelector("[data-sure-effect]").textContent =
    asked.querySelector(`[data-effect="${effect}"] span`).textContent;
}

function confirm(asked) {
  show(asked);
  if (weigh(asked) !== "odd" && asked.reportValidity()) asked.querySelector("dialog").showModal();
}

document.addEventListener("input", (event) => { if (form(event.target)) show(form(event.target)); });
document.addEventListener("click", (event) => {
  const asked = form(event.target);
  if (!asked) return;
  if (event.target.closest("[data-confirm]")) confirm(asked);
  if (event.target.closest("[data-close]")) asked.querySelector("dialog").close();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.tagName !== "INPUT" || !form(event.target)) return;
  event.preventDefault();
  confirm(form(event.target));
});
document.addEventListener("submit", (event) => { form(event.target)?.querySelector("dialog").close(); }, true);
document.addEventListener("drawn", (event) => {
  for (const asked of event.target.querySelectorAll("form[data-refund]")) show(asked);
});
