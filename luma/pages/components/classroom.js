// The classroom: outline, video, lesson text, keys. One element; lessons are swapped inside it.
// The page is served with the same markup already in it, which this takes over when it mounts.

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const REPORT_EVERY = 10000;
const UNDO_FOR = 10000;
const NEXT_AFTER = 5;
const ALL_OPEN = 100;
const LONG_REST = 120;

const icon = (name, extra = "") => `<svg class="icon ${extra}" aria-hidden="true"><use href="#room-${name}"/></svg>`;

const kept = {
  read: (name, otherwise) => {
    try {
      return JSON.parse(localStorage.getItem(`luma-${name}`)) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  write: (name, value) => {
    try {
      localStorage.setItem(`luma-${name}`, JSON.stringify(value));
    } catch {
      // Private windows may refuse; then it is forgotten with the page.
    }
  },
};

function clock(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  if (!parts[0]) parts.shift();
  return parts.map((part, i) => (i ? String(part).padStart(2, "0") : part)).join(":");
}

const outline = `
  <nav class="room-outline" id="outline" ref="outline" aria-label="Lessons" :inert="isNarrow && !drawer">
    <div class="room-outline-head">
      <h2>Lessons</h2>
      <button type="button" class="button quiet square" aria-label="Close" @click="closeDrawer">${icon("x")}</button>
    </div>
    <section v-for="chapter in chapters" :key="chapter.id" class="room-chapter">
      <h3><button type="button" :aria-expanded="String(isOpen(chapter))" @click="toggle(chapter)">
        ${icon("chevron-down", "icon-s")}<span>{{ chapter.title }}</span>
        <span class="room-count">{{ count(chapter) }}</span>
      </button></h3>
      <ol v-if="isOpen(chapter)">
        <li v-for="line in chapter.lessons" :key="line.id" v-memo="[line.id === current, line.is_done]">
          <a :href="address(line.id)" class="room-line" :class="{ done: line.is_done }" :data-id="line.id"
             :aria-current="line.id === current ? 'page' : null" @click="follow($event, line.id)">
            <span class="room-state" v-html="mark(line)"></span>
            <span class="room-name">{{ line.title }}<span v-if="line.is_draft" class="mark">Draft</span></span>
            <span v-if="line.seconds" class="room-time">{{ clock(line.seconds) }}</span>
          </a>
        </li>
      </ol>
    </section>
  </nav>`;

const stage = `
  <div v-if="lesson.reason" class="room-stage room-card">
    ${icon("lock")}<p class="room-card-title">{{ lesson.reason }}</p>
    <a class="button large" :href="coursePage">{{ lesson.way_in }}</a>
  </div>
  <div v-else-if="lesson.video_id" class="room-stage" ref="stage">
    <button v-if="video === 'poster'" type="button" class="room-poster" @click="play">
      <img :src="thumbnail" alt="" width="480" height="270" @error="$event.target.hidden = true">
      <span class="room-play">${icon("play")}{{ lesson.position ? "Resume at " + clock(lesson.position) : "Play" }}</span>
    </button>
    <iframe v-else-if="video === 'frame'" ref="frame" :key="lesson.id + takes" :src="frameAddress" :title="lesson.title"
      allow="autoplay; encrypted-media; fullscreen; picture-in-picture" referrerpolicy="strict-origin-when-cross-origin"></iframe>
    <div v-else-if="video === 'dead'" class="room-card">
      ${icon("video-off")}<p class="room-card-title">This video does not play here.</p>
      <p class="hush">It may have been removed, or may only be watched on YouTube.</p>
      <a class="button" :href="onYouTube" target="_blank" rel="noopener">Watch on YouTube</a>
      <button type="button" class="button quiet" @click="play">Try again</button>
    </div>
    <div v-else class="room-card">
      <template v-if="next">
        <p class="hush small">Next lesson{{ countdown ? " in " + countdown : "" }}</p>
        <p class="room-card-title">{{ next.title }}</p>
        <a class="button large" :href="address(next.id)" @click="follow($event, next.id, true)">Play next lesson</a>
        <button v-if="countdown" type="button" class="button quiet" @click="stay">Stay here</button>
      </template>
      <p v-else class="room-card-title">{{ isFinished ? "That was the whole course" : "That was the last lesson" }}</p>
      <p v-if="!countdown" class="row wrap"><button type="button" class="button quiet" @click="again">${icon("rotate-ccw")}Watch again</button>
        <button v-if="isPart" type="button" class="button quiet" @click="goOn">Keep watching</button></p>
      <label class="room-choice small"><input type="checkbox" v-model="autoplay"> Play the next lesson by itself</label>
    </div>
  </div>
  <div v-if="lesson.video_id" class="room-under small">
    <p v-if="note" class="hush">{{ note }} <template v-if="resumed">· <button type="button" class="room-text-button" @click="again">Start over</button></template></p>
    <label class="push hush">Speed <select class="select" v-model.number="speed"><option v-for="rate in speeds" :value="rate">{{ rate }}×</option></select></label>
  </div>`;

const pane = `
  <main id="main" class="room-main" tabindex="-1" :aria-busy="String(Boolean(opening))">
    ${stage}
    <div class="room-head-line">
      <p class="hush small">{{ lesson.chapter }}<template v-if="number"> · Lesson {{ number }} of {{ lines.length }}</template></p>
      <h1 ref="title" tabindex="-1">{{ lesson.title }}</h1>
    </div>
    <div class="room-actions">
      <button v-if="isStudent" type="button" class="button outline room-done" :class="{ positive: isDone }" :aria-busy="String(marking)"
        :title="isDone ? 'Press again to take it back' : watchedSoFar" @click="tick">
        <span v-html="isDone ? checked : unchecked"></span>{{ isDone ? "Completed" : "Mark complete" }}</button>
      <a v-if="room.standing === 'visitor' && !lesson.reason" class="button outline" :href="coursePage">See the course</a>
      <span class="push"></span>
      <a v-if="previous" class="button quiet" :href="address(previous.id)" @click="follow($event, previous.id)">${icon("arrow-left")}Previous</a>
      <a v-if="next" class="button" :class="{ outline: lesson.reason }" :href="address(next.id)" @click="follow($event, next.id)">Next lesson${icon("arrow-right")}</a>
    </div>
    <div v-if="congratulates" class="banner positive room-finished" role="status">${icon("party-popper")}
      <p><strong>You finished {{ room.title }}.</strong> Well done. <a href="/learn">Back to my courses</a></p></div>
    <div class="prose" v-html="lesson.text_html"></div>
  </main>`;

const head = `
  <header class="room-head">
    <a class="button quiet square" :href="way.href" :aria-label="way.words" :title="way.words">${icon("arrow-left")}</a>
    <a class="room-title" :href="coursePage">{{ room.title }}</a>
    <span v-if="isPreview" class="mark light">Preview</span>
    <span v-if="offline" class="mark warning room-offline" role="status">Reconnecting, your work is kept</span>
    <div v-if="isStudent" class="room-progress push" :class="{ 'wide-only': true }">
      <progress class="progress" :max="total || 1" :value="done" aria-label="Course progress"></progress>
      <span class="small nowrap digits">{{ percent }} % · {{ done }} of {{ total }}</span>
    </div>
    <span v-else class="push"></span>
    <button type="button" class="button quiet square wide-only" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" @click="showKeys">${icon("keyboard")}</button>
    <button type="button" class="button quiet square wide-only" data-theme-switch aria-label="Light or dark" title="Light or dark">${icon("sun-moon")}</button>
    <button type="button" class="button quiet room-drawer-button" :aria-expanded="String(drawer)" aria-controls="outline" @click="openDrawer">
      ${icon("list")}Lessons<span v-if="isStudent" class="digits hush">{{ done }} of {{ total }}</span></button>
  </header>`;

const keysDialog = `
  <dialog class="dialog" ref="keys" aria-labelledby="keys-title" @click="$event.target === $refs.keys && $refs.keys.close()">
    <h2 id="keys-title">Keyboard shortcuts</h2>
    <dl class="room-keys"><div v-for="[keys, words] in shortcuts"><dt><kbd v-for="key in keys">{{ key }}</kbd></dt><dd>{{ words }}</dd></div></dl>
    <label class="room-choice"><input type="checkbox" v-model="usesKeys"> Use these keys</label>
    <p class="row"><button type="button" class="button push" @click="$refs.keys.close()">Close</button></p>
  </dialog>`;

const toasts = `
  <div class="toasts" role="status" aria-live="polite">
    <div v-if="toast" class="toast positive" :key="toast.words">${icon("circle-check")}<span>{{ toast.words }}</span>
      <button v-if="toast.undo" type="button" class="room-text-button" @click="undo">Undo</button></div>
  </div>`;

const SHORTCUTS = [
  [["Space", "K"], "Play or pause"],
  [["J", "L"], "10 seconds back or on"],
  [["←", "→"], "5 seconds back or on"],
  [["0 – 9"], "Jump to a tenth of the video"],
  [["<", ">"], "Slower or faster"],
  [["M"], "Mute"],
  [["F"], "Full screen"],
  [["T"], "Hide or show the lessons"],
  [["Shift N"], "Next lesson"],
  [["Shift P"], "Previous lesson"],
  [["D"], "Mark complete, or take it back"],
  [["?"], "These keys"],
];

const KEYS = {
  " ": (room) => room.playOrPause(),
  k: (room) => room.playOrPause(),
  j: (room) => room.skip(-10),
  l: (room) => room.skip(10),
  ArrowLeft: (room) => room.skip(-5),
  ArrowRight: (room) => room.skip(5),
  m: (room) => room.mute(),
  f: (room) => room.fullScreen(),
  t: (room) => (room.theatre = !room.theatre),
  d: (room) => room.tick(),
  "<": (room) => room.faster(-1),
  ">": (room) => room.faster(1),
  N: (room) => room.next && room.open(room.next.id),
  P: (room) => room.previous && room.open(room.previous.id),
  "?": (room) => room.showKeys(),
};

// What follows from where we are.
const computed = {
  lines() {
    return this.chapters.flatMap((chapter) => chapter.lessons);
  },
  live() {
    return this.lines.filter((line) => !line.is_draft);
  },
  here() {
    return this.lines.findIndex((line) => line.id === this.lesson.id);
  },
  number() {
    return this.here + 1;
  },
  previous() {
    return this.lines[this.here - 1];
  },
  next() {
    return this.here < 0 ? undefined : this.lines[this.here + 1];
  },
  current() {
    return this.opening || this.lesson.id;
  },
  isDone() {
    return Boolean(this.lines[this.here]?.is_done);
  },
  done() {
    return this.live.filter((line) => line.is_done).length;
  },
  total() {
    return this.live.length;
  },
  percent() {
    return this.total ? Math.floor((100 * this.done) / this.total) : 0;
  },
  isStudent() {
    return this.room.standing === "enrolled";
  },
  isPreview() {
    return this.room.standing === "teaches";
  },
  isFinished() {
    return this.total > 0 && this.done === this.total;
  },
  congratulates() {
    return this.isStudent && this.isFinished && (this.justFinished || !this.next);
  },
  coursePage() {
    return `/courses/${this.room.slug}`;
  },
  way() {
    return this.isPreview
      ? { href: `/studio/${this.room.course_id}`, words: "Back to the studio" }
      : { href: "/learn", words: "My courses" };
  },
  thumbnail() {
    return `https://i.ytimg.com/vi/${this.lesson.video_id}/hqdefault.jpg`;
  },
  onYouTube() {
    return `https://www.youtube.com/watch?v=${this.lesson.video_id}`;
  },
  watchedSoFar() {
    return this.lesson.video_id ? `Watched ${this.seen} %; at 90 % it completes by itself` : null;
  },
  note() {
    if (this.resumed && ["poster", "frame"].includes(this.video)) return (this.video === "poster" ? "Resumes at " : "Resumed at ") + clock(this.resumed);
    return "";
  },
};

// Going from lesson to lesson. The address follows, so that back, reload and links work.
const walking = {
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
    Object.assign(this, { lesson, opening: null, video: "poster", resumed: lesson.position ?? 0, seen: lesson.seen ?? 0, justFinished: false });
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
const listing = {
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

// Done or not: shown at once, told to the server, taken back when it refuses.
const marking = {
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

// The video, and what is told about it.
const watching = {
  startsAt() {
    return this.lesson.position || this.lesson.start || 0;
  },
  async play() {
    this.stay();
    const { address, VideoFrame, Watching } = await import("lesson_video");
    this.leaveFrame();
    this.takes += 1;
    this.frameAddress = address(this.room.frame_origin, { video: this.lesson.video_id, at: this.time, plays: true });
    this.video = "frame";
    await this.$nextTick();
    this.watching = new Watching();
    this.frame = new VideoFrame(this.$refs.frame, this.room.frame_origin, this.ears());
  },
  ears() {
    return {
      time: (seconds) => this.onTime(seconds),
      playing: () => this.onPlaying(),
      paused: () => this.onPaused(),
      ended: () => this.onEnded(),
      length: (seconds) => (this.length = Math.floor(seconds)),
      rate: (rate) => this.frame.isPlaying && SPEEDS.includes(rate) && (this.speed = rate),
      muted: (on) => kept.write("muted", on),
      failed: () => this.onFailed(),
    };
  },
  onPlaying() {
    this.frame.speed(this.speed);
    if (kept.read("muted", false)) this.frame.mute(true);
    if (!this.reporting) this.reporting = setInterval(() => this.frame.isPlaying && this.report(), REPORT_EVERY);
  },
  async onPaused() {
    await this.report();
    if (this.isForgotten) location.reload();
  },
  onTime(seconds) {
    this.time = seconds;
    if (this.frame.isPlaying) this.watching.at(seconds, performance.now(), this.frame.rate);
    else this.watching.stop();
    if (this.isOver(seconds)) this.onEnded(true);
  },
  // A lesson may be a part of a long video: then it ends where the part does.
  isOver(seconds) {
    const { start, seconds: lasts } = this.lesson;
    const end = start + lasts;
    return lasts > 0 && this.length - end > LONG_REST && seconds >= end && seconds < end + 5 && !this.goesOn;
  },
  goOn() {
    this.goesOn = true;
    this.play();
  },
  onEnded(isPart = false) {
    this.isPart = isPart;
    this.report();
    this.leaveFrame();
    this.video = "ended";
    if (this.autoplay && this.next) this.countDown();
  },
  onFailed() {
    this.rest();
    this.video = "dead";
  },
  again() {
    const start = this.lesson.start || 0;
    this.resumed = 0;
    this.lesson.position = 0;
    this.time = start;
    this.goesOn = false;
    if (this.frame) this.seek(start);
    else if (this.video === "ended") this.play();
  },
  seek(seconds) {
    this.watching.stop();
    this.frame.seek(seconds);
    this.time = this.frame.time;
  },
  skip(seconds) {
    if (this.frame) this.seek(this.time + seconds);
  },
  playOrPause() {
    if (!this.lesson.video_id) return;
    if (!this.frame) this.play();
    else if (this.frame.isPlaying) this.frame.pause();
    else this.frame.play();
  },
  mute() {
    this.frame?.mute(!this.frame.muted);
  },
  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.$refs.frame?.requestFullscreen?.();
  },
  faster(step) {
    const index = SPEEDS.indexOf(this.speed) + step;
    if (!SPEEDS[index]) return;
    this.speed = SPEEDS[index];
    this.say(`Speed ${this.speed}×`);
  },
  countDown() {
    this.countdown = NEXT_AFTER;
    this.counting = setInterval(() => {
      this.countdown -= 1;
      if (this.countdown) return;
      this.stay();
      this.open(this.next.id, { plays: true });
    }, 1000);
  },
  stay() {
    clearInterval(this.counting);
    this.countdown = 0;
  },
  // Nothing plays and nothing counts any more; what was watched is on its way.
  rest() {
    this.report();
    this.stay();
    this.leaveFrame();
  },
  leaveFrame() {
    clearInterval(this.reporting);
    this.reporting = null;
    this.frame?.close();
    this.frame = null;
  },
  async report() {
    if (!this.noteDown()) return;
    await this.queue.send();
  },
  // Into the browser's own queue; true when there is something to send.
  noteDown() {
    if (!this.isStudent || !this.frame || !this.queue) return false;
    const pieces = this.watching.take();
    this.queue.add(this.lesson.id, { position: Math.floor(this.time), watched: pieces, length: this.length });
    return true;
  },
  async openQueue() {
    const { ProgressQueue } = await import("progress_queue");
    this.queue = new ProgressQueue(this.room.reader, (lesson, answer) => this.noted(lesson, answer));
    this.queue.send();
  },
  noted(id, answer) {
    if (id === this.lesson.id) this.seen = answer.seen;
    if (!answer.just_done) return;
    this.setDone(id, true);
    this.say("Lesson complete", () => this.wish(id, false));
  },
  onLeave() {
    if (document.visibilityState === "hidden" && (this.noteDown() || this.queue)) this.queue.leave();
  },
};

const listening = {
  onKey(event) {
    const isPlain = !(event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented);
    if (event.key === "Escape") [this.stay(), this.closeDrawer()];
    if (!isPlain || !this.usesKeys || this.$refs.keys.open || isTyping(event.target)) return;
    if (event.key === " " && event.target.closest("button, a, summary")) return;
    const act = KEYS[event.key] ?? jump(event.key);
    if (!act) return;
    event.preventDefault();
    act(this);
  },
  showKeys() {
    this.$refs.keys.showModal();
  },
  async hearSocket() {
    await this.$nextTick();
    for (const change of ["connect", "disconnect"]) window.socket.on(change, () => this.onNetwork());
    const usual = window.socket.listeners("connect_error");
    window.socket.off("connect_error");
    window.socket.on("connect_error", (error) => this.onRefused(error, usual));
  },
  // The server has started anew and does not know this page. Loading it again would stop the
  // video, so that waits for a moment when nothing plays.
  onRefused(error, usual) {
    if (error.message !== "Implicit handshake failed" || !this.frame?.isPlaying) usual.forEach((act) => act(error));
    else Object.assign(this, { isForgotten: true, offline: false });
  },
  onNetwork() {
    this.offline = !this.isForgotten && (!window.socket?.connected || !navigator.onLine);
    if (!this.offline) this.queue?.send();
  },
};

function isTyping(target) {
  return Boolean(target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]"));
}

function jump(key) {
  if (!/^[0-9]$/.test(key)) return null;
  return (room) => room.frame && room.seek((room.length * Number(key)) / 10);
}

export default {
  props: { room: Object },
  emits: ["open-lesson", "mark-lesson"],
  template: `<div class="room" :class="{ theatre, drawer }">${head}${outline}
    <div class="room-shade" @click="closeDrawer"></div>${pane}${keysDialog}${toasts}</div>`,

  data() {
    const { chapters, lesson } = structuredClone(Vue.toRaw(this.room));
    return {
      chapters,
      lesson: { ...lesson, text_html: document.querySelector("#paper .prose")?.innerHTML ?? "" },
      unfolded: new Set(),
      opening: null,
      video: "poster",
      frameAddress: "",
      takes: 0,
      length: 0,
      resumed: lesson.position ?? 0,
      seen: lesson.seen ?? 0,
      countdown: 0,
      marking: false,
      justFinished: false,
      isPart: false,
      offline: false,
      drawer: false,
      isNarrow: false,
      theatre: kept.read("theatre", false),
      autoplay: kept.read("autoplay", true),
      usesKeys: kept.read("keys", true),
      speed: kept.read("speed", 1),
      toast: null,
      speeds: SPEEDS,
      shortcuts: SHORTCUTS,
      checked: icon("circle-check"),
      unchecked: icon("circle"),
    };
  },

  created() {
    Object.assign(this, { turn: 0, wishes: {}, frame: null, watching: null, queue: null, goesOn: false, isForgotten: false, time: this.startsAt() });
    if (this.lines.length <= ALL_OPEN) for (const chapter of this.chapters) this.unfolded.add(chapter.id);
    this.reveal(this.lesson.id);
  },

  async mounted() {
    document.getElementById("paper")?.remove();
    const narrow = matchMedia("(max-width: 960px)");
    const measure = () => (this.isNarrow = narrow.matches);
    measure();
    narrow.addEventListener("change", measure);
    addEventListener("popstate", () => this.onPopState());
    addEventListener("keydown", (event) => this.onKey(event));
    addEventListener("visibilitychange", () => this.onLeave());
    for (const change of ["online", "offline"]) addEventListener(change, () => this.onNetwork());
    this.bringIntoView();
    await this.hearSocket();
    if (this.isStudent) this.openQueue();
  },

  methods: { clock, ...walking, ...listing, ...marking, ...watching, ...listening },
  computed,
  watch: {
    theatre: (on) => kept.write("theatre", on),
    autoplay: (on) => kept.write("autoplay", on),
    usesKeys: (on) => kept.write("keys", on),
    speed(rate) {
      kept.write("speed", rate);
      this.frame?.speed(rate);
    },
  },
};
