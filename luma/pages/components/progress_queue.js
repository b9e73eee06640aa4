// What was watched, kept in the browser until the server has it: over lost connections, closed
// tabs and restarts. Sending twice is harmless, so nothing is forgotten before it is acknowledged.

const LONGEST_AGE = 60 * 60 * 24 * 30;
const MOST_PIECES = 200;

export class ProgressQueue {
  // `reader` keeps the notes of people who share a browser apart. `noted(lesson, answer)` hears.
  constructor(reader, noted) {
    Object.assign(this, { key: `luma-progress-${reader}`, noted, sending: new Set() });
  }

  add(lesson, { position, watched, length }) {
    const all = this.all();
    const before = all[lesson]?.watched ?? [];
    all[lesson] = { position, watched: joined([...before, ...watched]), length, at: Date.now() };
    this.keep(all);
  }

  get isEmpty() {
    return !Object.keys(this.all()).length;
  }

  async send() {
    await Promise.all(Object.keys(this.all()).map((lesson) => this.sendOne(lesson)));
  }

  async sendOne(lesson) {
    const entry = this.all()[lesson];
    if (!entry || this.sending.has(lesson)) return;
    this.sending.add(lesson);
    try {
      const answer = await fetch(place(lesson), { method: "POST", headers: { "Content-Type": "application/json" }, body: told(entry), keepalive: true });
      if (answer.ok) this.noted(lesson, await answer.json());
      if (answer.ok || isHopeless(answer.status)) this.forget(lesson, entry.at);
    } catch {
      // No network: it stays in the queue.
    } finally {
      this.sending.delete(lesson);
    }
  }

  // When the page goes away nobody waits for an answer. What was sent so stays until the next visit.
  leave() {
    for (const [lesson, entry] of Object.entries(this.all()))
      navigator.sendBeacon(place(lesson), new Blob([told(entry)], { type: "application/json" }));
  }

  forget(lesson, at) {
    const all = this.all();
    if (all[lesson]?.at !== at) return;
    delete all[lesson];
    this.keep(all);
  }

  all() {
    try {
      return JSON.parse(localStorage.getItem(this.key)) ?? {};
    } catch {
      return this.inMemory ?? {};
    }
  }

  keep(all) {
    this.inMemory = all;
    try {
      localStorage.setItem(this.key, JSON.stringify(all));
    } catch {
      // Storage is full or switched off: memory must do.
    }
  }
}

function place(lesson) {
  return `/learn/${encodeURIComponent(lesson)}/position`;
}

function told({ position, watched, length, at }) {
  const age = Math.min(LONGEST_AGE, Math.max(0, Math.round((Date.now() - at) / 1000)));
  return JSON.stringify({ position, watched: watched.slice(-MOST_PIECES), length, age });
}

// Refused for good: not signed in as who may, or not understood. Worth another try: the rest.
function isHopeless(status) {
  return status >= 400 && status < 500 && ![401, 408, 429].includes(status);
}

export function joined(pieces) {
  const sorted = pieces.map((piece) => [...piece]).sort((a, b) => a[0] - b[0]);
  const whole = [];
  for (const piece of sorted) {
    const last = whole.at(-1);
    if (last && piece[0] <= last[1]) last[1] = Math.max(last[1], piece[1]);
    else whole.push(piece);
  }
  return whole;
}
