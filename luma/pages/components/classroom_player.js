// The video of a lesson, what is told about it, and the keys.

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const REPORT_EVERY = 10000;
const NEXT_AFTER = 5;
const LONG_REST = 120;

export const kept = {
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

// The video, and what is told about it.
export const watching = {
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
    const end = this.endsAt();
    return end < this.length && seconds >= end && seconds < end + 5;
  },
  endsAt() {
    const { start, seconds: lasts } = this.lesson;
    const isPartOfIt = lasts > 0 && this.length - start - lasts > LONG_REST;
    return isPartOfIt && !this.goesOn ? start + lasts : this.length;
  },
  // A key from 0 to 9: so many tenths of the lesson, not of the video that it is a part of.
  jump(tenths) {
    const { start } = this.lesson;
    if (this.frame && this.length) this.seek(start + ((this.endsAt() - start) * tenths) / 10);
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

export const listening = {
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
  return (room) => room.jump(Number(key));
}
