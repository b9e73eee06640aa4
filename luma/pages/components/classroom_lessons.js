// Going about in a course: from lesson to lesson, in the outline, marking what is done.

import { icon } from "classroom_markup";

const UNDO_FOR = 10000;

// Going from lesson to lesson. The address follows, so that back, reload and links work.
export const walking = {
  address(id) {
    return `/learn/${this.room.slug}/${id}`;
  },
  follow(event, id, plays = false) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    this.open(id, { plays });
  },
  open(id, { plays = false, isBack = false } = {}) {
    if (id === this.current && !plays) return void this.closeDrawer();
    this.rest();
    if (this.isForgotten) return void location.assign(this.address(id));
    this.opening = id;
    this.turn += 1;
    this.wishes = { plays, isBack };
    this.$emit("open-lesson", { lesson: id, turn: this.turn });
  },
  // What the server calls.
  show(turn, lesson) {
    if (turn !== this.turn) return;
    const { plays, isBack } = this.wishes;
    if (!isBack) history.pushState(null, "", this.address(lesson.id));
    this.enter(lesson);
    this.drawer = false;
    scrollTo(0, 0);
    this.$refs.title.focus({ preventScroll: true });
    this.bringIntoView();
    if (plays && lesson.video_id) this.play();
  },
  refuse(turn) {
    if (turn === this.turn) this.opening = null;
  },
  enter(lesson) {
    Object.assign(this, { lesson, opening: null, video: "poster", resumed: lesson.position ?? 0, seen: lesson.seen ?? 0, justFinished: false, asking: "" });
    this.time = this.startsAt();
    this.length = 0;
    this.goesOn = false;
    document.title = `${lesson.title} · ${this.room.title} · LUMA`;
    this.reveal(lesson.id);
  },
  onPopState() {
    const id = location.pathname.split("/").at(-1);
    if (id !== this.lesson.id) this.open(id, { isBack: true });
  },
};

// The outline beside the lesson, a drawer on narrow screens.
export const listing = {
  isOpen(chapter) {
    return this.unfolded.has(chapter.id);
  },
  toggle(chapter) {
    if (!this.unfolded.delete(chapter.id)) this.unfolded.add(chapter.id);
  },
  reveal(id) {
    const chapter = this.chapters.find((one) => one.lessons.some((line) => line.id === id));
    if (chapter) this.unfolded.add(chapter.id);
  },
  count(chapter) {
    const live = chapter.lessons.filter((line) => !line.is_draft);
    return this.isStudent ? `${live.filter((line) => line.is_done).length} of ${live.length}` : live.length;
  },
  mark(line) {
    if (line.is_done && this.isStudent) return this.checked;
    return line.is_open ? this.unchecked : icon("lock", "icon-s");
  },
  async bringIntoView() {
    await this.$nextTick();
    const row = this.$refs.outline.querySelector("[aria-current]");
    if (!row) return;
    const list = this.$refs.outline;
    const [inner, outer] = [row.getBoundingClientRect(), list.getBoundingClientRect()];
    const isInView = inner.top > outer.top + 100 && inner.bottom < outer.bottom - 60;
    if (!isInView) list.scrollTop += inner.top - outer.top - outer.height / 3;
  },
  async openDrawer() {
    this.drawer = true;
    await this.bringIntoView();
    const { outline } = this.$refs;
    (outline.querySelector("[aria-current]") ?? outline.querySelector("button")).focus();
  },
  closeDrawer() {
    if (!this.drawer) return;
    this.drawer = false;
    this.$el.querySelector(".room-drawer-button").focus();
  },
};

// What students are asked, quietly, below the lesson. The links lead to pages without a script.
export const asking = {
  async ask(event, what) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const address = event.currentTarget.href;
    this.asking = what;
    const { fillIn } = await import("classroom_asking");
    await this.$nextTick();
    await fillIn(this.$refs.form, address, {
      sent: () => what === "review" && (this.reviewFrom = null),
      failed: () => this.say("That was not sent. Try again in a moment."),
    });
  },
  putOff() {
    this.reviewFrom = this.isFinished ? null : 100;
    fetch(`${this.coursePage}/review/later`, { method: "POST", keepalive: true }).catch(() => {});
  },
};

// Done or not: shown at once, told to the server, taken back when it refuses.
export const marking = {
  tick() {
    if (!this.isStudent || this.marking || this.lesson.reason) return;
    if (this.isForgotten) return void location.reload();
    this.wish(this.lesson.id, !this.isDone);
  },
  wish(id, isDone) {
    this.marking = true;
    this.setDone(id, isDone);
    this.$emit("mark-lesson", { lesson: id, done: isDone });
  },
  // What the server calls: so it is now, and whether that is what was wished.
  marked(id, isDone, isGranted) {
    this.marking = false;
    this.setDone(id, isDone);
    if (isGranted) this.say(isDone ? "Lesson complete" : "Not complete any more", () => this.wish(id, !isDone));
  },
  setDone(id, isDone) {
    const line = this.lines.find((one) => one.id === id);
    if (!line || line.is_done === isDone) return;
    line.is_done = isDone;
    this.justFinished = isDone && this.isFinished;
  },
  say(words, undo = null) {
    clearTimeout(this.fading);
    this.toast = { words, undo };
    this.fading = setTimeout(() => (this.toast = null), undo ? UNDO_FOR : 4000);
  },
  undo() {
    const { undo } = this.toast;
    this.toast = null;
    undo();
  },
};
