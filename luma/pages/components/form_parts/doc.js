// One lesson or course as it is being written. What is typed is sent by itself, kept in this
// browser until the server has it, and never written over while it is being typed. When somebody
// else changed the same field, both versions are shown and the writer chooses.
//
// A field has three values: `value` is on the screen, `base` is the last one known to be saved as
// typed, `server` is the server's own form of it (trimmed, shortened).

const PAUSE = 700;
const PATIENCE = 10_000;
const LONGEST_PAUSE = 30_000;

let attempts = 0;

export class Doc {
  constructor(sheet, emit) {
    Object.assign(this, { subject: sheet.subject, key: "luma:draft:" + sheet.key, emit });
    Object.assign(this, { sending: null, failed: false, tries: 0, clash: null, gone: "", focused: "" });
    this.adopt(sheet);
  }

  adopt(sheet) {
    const { heading, revision, extras, saved } = sheet;
    Object.assign(this, { heading, revision, extras, saved: new Date(saved) });
    this.fields = sheet.fields.map((spec) => {
      const value = sheet.values[spec.name];
      return { ...spec, value, base: value, server: value, error: "", refused: undefined };
    });
    this.recall(sheet.values);
  }

  field(name) {
    return this.fields.find((field) => field.name === name);
  }
  changed() {
    return this.fields.filter((field) => field.value !== field.base);
  }
  unsent() {
    // Fields of one group, such as a price and its currency, mean nothing without each other.
    const fresh = this.changed().filter((field) => field.value !== field.refused);
    const groups = fresh.map((field) => field.group).filter(Boolean);
    return this.changed().filter((field) => fresh.includes(field) || groups.includes(field.group));
  }
  get isClean() {
    return !this.changed().length && !this.sending;
  }
  get trouble() {
    if (this.gone) return this.gone;
    if (this.clash) return "Not saved: choose a version";
    if (this.failed) return "Not saved, retrying";
    if (this.sending || this.unsent().length) return "";
    return this.fields.some((field) => field.error) ? "Not saved: see the marked field" : "";
  }
  get state() {
    return this.trouble || (this.isClean ? `Saved ${said(this.saved)}` : "Saving…");
  }

  // Writing

  type(field, value, pause = PAUSE) {
    field.value = value;
    field.error = "";
    this.remember();
    this.later(pause);
  }
  leave(field) {
    this.focused = "";
    this.save();
    this.show(field);
  }
  show(field) {
    const untouched = field.value === field.base;
    if (untouched && this.focused !== field.name) field.value = field.base = field.server;
  }
  later(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), pause);
  }
  save() {
    clearTimeout(this.timer);
    const unsent = this.unsent();
    if (this.sending || this.clash || this.gone || !unsent.length) return;
    const values = Object.fromEntries(unsent.map((field) => [field.name, field.value]));
    const attempt = ++attempts;
    this.sending = { attempt, values };
    this.patience = setTimeout(() => this.retry(), PATIENCE);
    this.emit("form-save", { subject: this.subject, revision: this.revision, values, attempt });
  }
  retry() {
    Object.assign(this, { sending: null, failed: true, tries: this.tries + 1 });
    this.later(Math.min(1000 * 2 ** this.tries, LONGEST_PAUSE));
  }

  // Answers: saved, clash, failed or gone

  hear(answer) {
    if (answer.attempt !== this.sending?.attempt) return;
    clearTimeout(this.patience);
    if (answer.kind === "failed") return this.retry();
    const { values } = this.sending;
    Object.assign(this, { sending: null, failed: false, tries: 0, gone: answer.words ?? "" });
    if (this.gone) return;
    Object.assign(this, { revision: answer.revision, extras: answer.extras });
    if (answer.kind === "clash") this.merge(answer.values);
    else this.settle(values, answer);
    this.remember();
    this.later(0);
  }
  settle(sent, { values, refused }) {
    this.saved = new Date();
    for (const field of this.fields) {
      const { name } = field;
      field.server = values[name];
      if (name in refused) Object.assign(field, { error: refused[name], refused: sent[name] });
      else if (name in sent) Object.assign(field, { base: sent[name], error: "", refused: undefined });
      this.show(field);
    }
  }
  merge(theirs) {
    this.clash = null;
    for (const field of this.fields) {
      const their = theirs[field.name];
      const untouched = field.value === field.base;
      const agreed = their === field.server || their === field.value;
      if (!untouched && !agreed) {
        this.clash = [...(this.clash ?? []), { field, mine: field.value, theirs: their }];
      }
      field.server = their;
      if (their === field.value) field.base = their;
      this.show(field);
    }
  }
  choose(mine) {
    for (const { field, theirs } of this.clash) {
      field.base = theirs;
      if (!mine) field.value = theirs;
    }
    this.clash = null;
    this.remember();
    this.save();
  }

  // The draft in this browser

  remember() {
    const changed = this.changed();
    const pick = (what) => Object.fromEntries(changed.map((field) => [field.name, field[what]]));
    try {
      if (changed.length) {
        localStorage.setItem(this.key, JSON.stringify({ values: pick("value"), known: pick("server") }));
      } else localStorage.removeItem(this.key);
    } catch {
      // A full or forbidden storage only means that there is no draft.
    }
  }
  recall(values) {
    let draft = null;
    try {
      draft = JSON.parse(localStorage.getItem(this.key));
    } catch {
      // An unreadable draft is none.
    }
    if (!draft) return;
    for (const field of this.fields.filter((field) => field.name in draft.values)) {
      Object.assign(field, { value: draft.values[field.name], base: draft.known[field.name], server: draft.known[field.name] });
    }
    this.merge(values);
    this.remember();
  }
}

function said(moment) {
  const isToday = moment.toDateString() === new Date().toDateString();
  if (isToday) return moment.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return moment.toLocaleDateString("en-GB", { day: "numeric", month: "long" });
}
