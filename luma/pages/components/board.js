// A section of HTML that the server draws again after each act. What was open stays open, and
// whoever was at a control finds themselves at the same one.

const LONGEST_WAIT = 10_000;

export default {
  props: { html: String },
  emits: ["wish"],
  template: `<div @submit="submit" @click="press"></div>`,
  mounted() {
    this.$el.innerHTML = this.html;
    this.$el.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  },
  watch: {
    html(drawn) {
      const root = this.$el;
      const opened = [...root.querySelectorAll("details[open][data-keep]")].map((one) => one.id);
      const place = root.contains(document.activeElement) ? around(document.activeElement, root) : [];
      root.innerHTML = drawn;
      for (const id of opened) {
        const one = document.getElementById(id);
        if (one) one.open = true;
      }
      const found = place.map((id) => document.getElementById(id)).find(Boolean);
      (found?.matches(CONTROL) ? found : found?.querySelector(CONTROL))?.focus();
    },
  },
  methods: {
    submit(event) {
      const form = event.target;
      if (!form.dataset.act) return; // A search: it goes by its address.
      event.preventDefault();
      this.tell(event.submitter, { ...form.dataset }, Object.fromEntries(new FormData(form)));
    },
    press(event) {
      const copy = event.target.closest("button[data-copy]");
      if (copy) copied(copy);
      const button = event.target.closest("button[data-act]");
      if (button) this.tell(button, { ...button.dataset }, {});
    },
    tell(button, { act, thing = "", ...said }, typed) {
      if (this.busy) return;
      this.busy = button;
      button?.setAttribute("aria-busy", "true");
      this.timer = setTimeout(this.settle, LONGEST_WAIT);
      this.$emit("wish", { act, thing, fields: { ...said, ...typed } });
    },
    settle() {
      clearTimeout(this.timer);
      this.busy?.removeAttribute("aria-busy");
      this.busy = undefined;
    },
  },
};

const CONTROL = "button, a, input, textarea, summary";

// Without a secure address a browser gives no clipboard: then the words are there to be marked.
async function copied(button) {
  const label = button.querySelector("span") ?? button;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    label.textContent = button.dataset.copied;
  } catch {
    label.textContent = button.dataset.copy;
  }
}

function around(element, root) {
  const ids = [];
  for (let one = element; one && one !== root; one = one.parentElement) if (one.id) ids.push(one.id);
  return ids;
}
