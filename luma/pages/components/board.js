// A section of HTML that the server draws again after each act. What was open stays open, and
// whoever was at a control finds themselves at the same one.

const LONGEST_WAIT = 10_000;

export default {
  props: { html: String },
  emits: ["wish"],
  template: `<div @submit="submit" @click="press" @input="type"></div>`,
  created() {
    this.busy = new Map();
  },
  mounted() {
    this.$el.innerHTML = this.html;
    this.$el.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  },
  watch: { html: "draw" },
  methods: {
    draw() {
      const root = this.$el;
      // News would swallow a click between press and release, and a question that waits for its answer.
      clearTimeout(this.later);
      if (root.matches(":active") || root.querySelector("dialog[open]")) {
        this.later = setTimeout(this.draw, 50);
        return;
      }
      const opened = [...root.querySelectorAll("details[open][data-keep]")].map((one) => one.id);
      const place = root.contains(document.activeElement) ? around(document.activeElement, root) : [];
      const typed = this.typed();
      root.innerHTML = this.html;
      for (const [id, value] of typed) {
        const field = document.getElementById(id);
        if (field) Object.assign(field, { value }).dataset.typed = "yes";
      }
      for (const id of opened) {
        const one = document.getElementById(id);
        if (one) one.open = true;
      }
      const found = place.map((id) => document.getElementById(id)).find(Boolean);
      root.dispatchEvent(new Event("drawn", { bubbles: true }));
      (found?.matches(CONTROL) ? found : found?.querySelector(CONTROL))?.focus();
    },
    typed() {
      // What somebody is in the middle of typing outlives a redraw; what they have sent does not.
      const kept = [];
      for (const field of this.$el.querySelectorAll(FIELD)) {
        if (field.id && field.dataset.typed && field.form?.id !== this.sent) kept.push([field.id, field.value]);
      }
      this.sent = undefined;
      return kept;
    },
    type(event) {
      event.target.dataset.typed = "yes";
      if (event.target.form?.id === this.sent) this.sent = undefined;
    },
    submit(event) {
      const form = event.target;
      if (!form.dataset.act) return; // A search: it goes by its address.
      event.preventDefault();
      this.sent = form.id || undefined;
      this.tell(event.submitter, { ...form.dataset }, Object.fromEntries(new FormData(form)));
    },
    press(event) {
      const copy = event.target.closest("button[data-copy]");
      if (copy) copied(copy);
      const button = event.target.closest("button[data-act]");
      if (button) this.tell(button, { ...button.dataset }, {});
    },
    tell(button, { act, thing = "", ...said }, typed) {
      // The same wish is not heard twice before it is done. Another one goes beside it.
      const wish = `${act} ${thing}`;
      if (this.busy.has(wish)) return;
      this.busy.set(wish, { button, timer: setTimeout(() => this.settle(wish), LONGEST_WAIT) });
      button?.setAttribute("aria-busy", "true");
      this.$emit("wish", { act, thing, fields: { ...said, ...typed } });
    },
    settle(wish) {
      for (const one of wish ? [wish] : [...this.busy.keys()]) {
        clearTimeout(this.busy.get(one)?.timer);
        this.busy.get(one)?.button?.removeAttribute("aria-busy");
        this.busy.delete(one);
      }
      if (!this.busy.size) this.sent = undefined;
    },
  },
};

const FIELD = "input, textarea, select";
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
