// The classroom: outline, video, lesson text, keys. One element; lessons are swapped inside it.
// It takes over the text that the page shows already, and then lives on what the server sends.

import { asking, listing, marking, walking } from "classroom_lessons";
import { classroom, clock, icon } from "classroom_markup";
import { SPEEDS, kept, listening, watching } from "classroom_player";

const ALL_OPEN = 100;

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
  asksReview() {
    const isTime = this.reviewFrom !== null && this.total > 0 && this.percent >= this.reviewFrom;
    return this.isStudent && (this.asking ? this.asking === "review" : isTime);
  },
  asksAboutLesson() {
    return this.isStudent && this.isDone && !this.lesson.reason;
  },
  lessonFeedback() {
    return `/learn/${this.lesson.id}/feedback`;
  },
  courseFeedback() {
    return `/learn/${this.room.slug}/feedback`;
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
    if (this.resumed && ["poster", "frame"].includes(this.video)) return (this.video === "poster" ? "Resumes at " : "Resumed at ") + clock(this.resumed - this.lesson.start);
    return "";
  },
};

export default {
  props: { room: Object },
  emits: ["open-lesson", "mark-lesson"],
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
      reviewFrom: this.room.review_from,
      asking: "",
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
      checked: icon("circle-check"),
      unchecked: icon("circle"),
    };
  },

  created() {
    Object.assign(this, { turn: 0, wishes: {}, frame: null, watching: null, queue: null, goesOn: false, isForgotten: false, rows: {}, time: this.startsAt() });
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

  render() {
    return classroom(this);
  },

  methods: { ...walking, ...listing, ...marking, ...asking, ...watching, ...listening },
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
