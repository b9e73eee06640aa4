// What the outline is made of, how it changes, and how the server is told.

export const model = {
  // The model: uids last as long as the page, ids come from the server.

  planted(nodes) {
    const known = new Map(this.all().map((node) => [`${node.kind} ${node.id}`, node.uid]));
    const plant = (kind, from) => ({ ...from, kind, uid: known.get(`${kind} ${from.id}`) ?? ++this.uids });
    const tails = new Map(this.chapters.map((chapter) => [chapter.uid, chapter.tail]));
    return nodes.map((from) => {
      const chapter = plant("chapter", from);
      chapter.tail = tails.get(chapter.uid) ?? { kind: "tail", uid: ++this.uids };
      chapter.lessons = from.lessons.map((lesson) => plant("lesson", lesson));
      return chapter;
    });
  },
  replant({ node, chapter, index }) {
    const list = chapter ? this.find(chapter.uid)?.node.lessons : this.chapters;
    if (list) list.splice(index, 0, node);
    else this.typing = null;
  },
  all() {
    return this.chapters.flatMap((chapter) => [chapter, ...chapter.lessons]);
  },
  visible() {
    return this.chapters.flatMap((chapter) =>
      this.isOpen(chapter) ? [chapter, ...chapter.lessons, chapter.tail] : [chapter],
    );
  },
  find(uid) {
    for (const [index, chapter] of this.chapters.entries()) {
      if (chapter.uid === uid) return { node: chapter, list: this.chapters, index };
      if (chapter.tail.uid === uid) return { node: chapter.tail, chapter, list: chapter.lessons, index: chapter.lessons.length };
      const l = chapter.lessons.findIndex((lesson) => lesson.uid === uid);
      if (l >= 0) return { node: chapter.lessons[l], chapter, list: chapter.lessons, index: l };
    }
  },
  place(uid) {
    return this.visible().findIndex((node) => node.uid === uid);
  },
  nearest(place) {
    const seen = this.visible();
    return seen[Math.max(0, Math.min(place, seen.length - 1))]?.uid ?? 0;
  },
  isOpen(chapter) {
    return !this.closed.has(chapter.uid);
  },

  // Telling the server, in order. A change that names a node without an id waits for it.

  send(name, change) {
    this.queue.push([name, change]);
    this.flush();
  },
  flush() {
    while (this.queue.length) {
      const [name, change] = this.queue[0];
      const values = Object.values(change);
      if (values.some((value) => value?.uid && value.id === undefined)) return;
      this.queue.shift();
      const plain = Object.entries(change).map(([key, value]) => [key, value?.uid ? value.id : value]);
      this.$emit("outline-" + name, { ...Object.fromEntries(plain), seen: this.seen });
    }
  },

  // Moving

  shift(step) {
    const { node, chapter, list, index } = this.find(this.active);
    if (node.kind === "tail") return;
    const to = index + step;
    if (!chapter) return to >= 0 && to < list.length && this.moveChapter(index, to);
    if (to >= 0 && to < list.length) return this.moveLesson(chapter, index, chapter, to);
    const next = this.chapters[this.chapters.indexOf(chapter) + step];
    if (next) this.moveLesson(chapter, index, next, step > 0 ? 0 : next.lessons.length);
  },
  moveLesson(from, was, chapter, index) {
    const [lesson] = from.lessons.splice(was, 1);
    chapter.lessons.splice(index, 0, lesson);
    this.closed.delete(chapter.uid);
    this.send("move-lesson", { lesson, chapter, index });
    this.say(`${lesson.title} moved to ${chapter.title}, ${index + 1} of ${chapter.lessons.length}.`);
    this.focus(lesson.uid);
  },
  moveChapter(was, index) {
    const [chapter] = this.chapters.splice(was, 1);
    this.chapters.splice(index, 0, chapter);
    this.send("move-chapter", { chapter, index });
    this.say(`${chapter.title} moved, ${index + 1} of ${this.chapters.length}.`);
    this.focus(chapter.uid);
  },
};
