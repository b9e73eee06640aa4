// What the classroom looks like. The page is served with the same markup already in it.
// These are functions and no template: a browser needed as long to compile one as for all the rest
// of coming in. What comes and goes has a key, so that nothing else is put into its place.

import { h, withMemo } from "vue";

export const icon = (name, extra = "") => `<svg class="icon ${extra}" aria-hidden="true"><use href="#room-${name}"/></svg>`;

const drawn = (name, extra = "") =>
  h("svg", { class: ["icon", extra], "aria-hidden": "true" }, h("use", { href: `#room-${name}` }));

export function clock(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  if (!parts[0]) parts.shift();
  return parts.map((part, i) => (i ? String(part).padStart(2, "0") : part)).join(":");
}

const button = (look, onClick, inside, more = {}) => h("button", { type: "button", class: look, onClick, ...more }, inside);

// A link that opens a lesson in place.
const toLesson = (room, line, look, inside, { plays = false, ...more } = {}) =>
  h("a", { class: look, href: room.address(line.id), onClick: (event) => room.follow(event, line.id, plays), ...more }, inside);

const choice = (look, words, isOn, choose) =>
  h("label", { class: look }, [h("input", { type: "checkbox", checked: isOn, onChange: (event) => choose(event.target.checked) }), ` ${words}`]);

export function classroom(room) {
  const { theatre, drawer } = room;
  return h("div", { class: ["room", { theatre, drawer }] }, [
    head(room),
    outline(room),
    h("div", { class: "room-shade", onClick: room.closeDrawer }),
    pane(room),
    keysDialog(room),
    toasts(room),
  ]);
}

// The head: where we are, how far, and what is always at hand.

function head(room) {
  const { href, words } = room.way;
  return h("header", { class: "room-head" }, [
    h("a", { class: "button quiet square", href, "aria-label": words, title: words }, drawn("arrow-left")),
    h("a", { class: "room-title", href: room.coursePage }, room.room.title),
    room.isPreview ? h("span", { key: "preview", class: "mark light" }, "Preview") : null,
    room.offline ? h("span", { key: "offline", class: "mark warning room-offline", role: "status" }, "Reconnecting, your work is kept") : null,
    room.isStudent ? progress(room) : h("span", { key: "none", class: "push" }),
    button("button quiet square wide-only", room.showKeys, drawn("keyboard"), named("Keyboard shortcuts", "Keyboard shortcuts (?)")),
    h("button", { type: "button", class: "button quiet square wide-only", "data-theme-switch": "", ...named("Light or dark") }, drawn("sun-moon")),
    button("button quiet room-drawer-button", room.openDrawer, [drawn("list"), "Lessons", soFar(room)], {
      "aria-expanded": String(room.drawer),
      "aria-controls": "outline",
    }),
  ]);
}

const named = (words, title = words) => ({ "aria-label": words, title });

const soFar = (room) => (room.isStudent ? h("span", { class: "digits hush" }, `${room.done} of ${room.total}`) : null);

function progress(room) {
  return h("div", { key: "progress", class: "room-progress push wide-only" }, [
    h("progress", { class: "progress", max: room.total || 1, value: room.done, "aria-label": "Course progress" }),
    h("span", { class: "small nowrap digits" }, `${room.percent} % · ${room.done} of ${room.total}`),
  ]);
}

// The outline. A row is drawn again only when it is done or where we are.

function outline(room) {
  return h("nav", { class: "room-outline", id: "outline", ref: "outline", "aria-label": "Lessons", inert: room.isNarrow && !room.drawer }, [
    h("div", { class: "room-outline-head" }, [
      h("h2", "Lessons"),
      button("button quiet square", room.closeDrawer, drawn("x"), { "aria-label": "Close" }),
    ]),
    room.chapters.map((chapter) => section(room, chapter)),
  ]);
}

function section(room, chapter) {
  const isOpen = room.isOpen(chapter);
  const inside = [drawn("chevron-down", "icon-s"), h("span", chapter.title), h("span", { class: "room-count" }, room.count(chapter))];
  return h("section", { key: chapter.id, class: "room-chapter", style: { "--rows": isOpen ? chapter.lessons.length : 0 } }, [
    h("h3", button(null, () => room.toggle(chapter), inside, { "aria-expanded": String(isOpen) })),
    isOpen ? h("ol", { key: "rows" }, chapter.lessons.map((line) => kept(room, line))) : null,
  ]);
}

function kept(room, line) {
  const isHere = line.id === room.current;
  return withMemo([isHere, line.is_done], () => row(room, line, isHere), room.rows, line.id);
}

function row(room, line, isHere) {
  const inside = [
    h("span", { class: "room-state", innerHTML: room.mark(line) }),
    h("span", { class: "room-name" }, [line.title, line.is_draft ? h("span", { class: "mark" }, "Draft") : null]),
    line.seconds ? h("span", { class: "room-time" }, clock(line.seconds)) : null,
  ];
  const more = { "data-id": line.id, "aria-current": isHere ? "page" : null };
  return h("li", { key: line.id }, toLesson(room, line, ["room-line", { done: line.is_done }], inside, more));
}

// The lesson.

function pane(room) {
  const { lesson, asking } = room;
  return h("main", { id: "main", class: "room-main", tabindex: "-1", "aria-busy": String(Boolean(room.opening)) }, [
    ...(lesson.reason ? [locked(room)] : lesson.video_id ? [stage(room), under(room)] : []),
    h("div", { class: "room-head-line" }, [
      h("p", { class: "hush small" }, lesson.chapter + (room.number ? ` · Lesson ${room.number} of ${room.lines.length}` : "")),
      h("h1", { ref: "title", tabindex: "-1" }, lesson.title),
    ]),
    actions(room),
    room.congratulates ? finished(room) : null,
    asking === "course" ? form("course", "How was the course?") : null,
    h("div", { key: "text", class: "prose", innerHTML: lesson.text_html }),
    asking === "lesson" ? form("lesson", "How was this lesson?") : room.asksAboutLesson ? asks(room) : null,
    room.asksReview ? review(room) : null,
  ]);
}

function actions(room) {
  const { lesson, previous, next } = room;
  const isVisitor = room.room.standing === "visitor" && !lesson.reason;
  return h("div", { class: "room-actions" }, [
    room.isStudent ? ticking(room) : null,
    isVisitor ? h("a", { key: "course", class: "button outline", href: room.coursePage }, "See the course") : null,
    h("span", { class: "push" }),
    previous ? toLesson(room, previous, "button quiet", [drawn("arrow-left"), "Previous"], { key: "previous" }) : null,
    next ? toLesson(room, next, ["button", { outline: lesson.reason }], ["Next lesson", drawn("arrow-right")], { key: "next" }) : null,
  ]);
}

function ticking(room) {
  const { isDone } = room;
  const inside = [h("span", { innerHTML: isDone ? room.checked : room.unchecked }), isDone ? "Completed" : "Mark complete"];
  return button(["button outline room-done", { positive: isDone }], room.tick, inside, {
    key: "tick",
    "aria-busy": String(room.marking),
    title: isDone ? "Press again to take it back" : room.watchedSoFar,
  });
}

// The video, or what stands in its place.

const card = (key, inside) => h("div", { key, class: "room-card" }, inside);

const cardTitle = (words) => h("p", { class: "room-card-title" }, words);

function locked(room) {
  const wayIn = h("a", { class: "button large", href: room.coursePage }, room.lesson.way_in);
  return h("div", { key: "locked", class: "room-stage room-card" }, [drawn("lock"), cardTitle(room.lesson.reason), wayIn]);
}

function stage(room) {
  const inside = { poster, frame, dead }[room.video] ?? ended;
  return h("div", { key: "stage", class: "room-stage", ref: "stage" }, [inside(room)]);
}

function poster(room) {
  const { position, start } = room.lesson;
  const picture = { src: room.thumbnail, alt: "", width: 480, height: 270, onError: (event) => (event.target.hidden = true) };
  const words = position ? `Resume at ${clock(position - start)}` : "Play";
  return button("room-poster", room.play, [h("img", picture), h("span", { class: "room-play" }, [drawn("play"), words])], { key: "poster" });
}

function frame(room) {
  return h("iframe", {
    ref: "frame",
    key: room.lesson.id + room.takes,
    src: room.frameAddress,
    title: room.lesson.title,
    allow: "autoplay; encrypted-media; fullscreen; picture-in-picture",
    referrerpolicy: "strict-origin-when-cross-origin",
  });
}

function dead(room) {
  return card("dead", [
    drawn("video-off"),
    cardTitle("This video does not play here."),
    h("p", { class: "hush" }, "It may have been removed, or may only be watched on YouTube."),
    h("a", { class: "button", href: room.onYouTube, target: "_blank", rel: "noopener" }, "Watch on YouTube"),
    button("button quiet", room.play, "Try again"),
  ]);
}

function ended(room) {
  const { next, countdown } = room;
  const last = room.isFinished ? "That was the whole course" : "That was the last lesson";
  return card("ended", [
    ...(next ? upNext(room) : [cardTitle(last)]),
    countdown ? null : h("p", { key: "again", class: "row wrap" }, [
      button("button quiet", room.again, [drawn("rotate-ccw"), "Watch again"]),
      room.isPart ? button("button quiet", room.goOn, "Keep watching") : null,
    ]),
    choice("room-choice small", "Play the next lesson by itself", room.autoplay, (isOn) => (room.autoplay = isOn)),
  ]);
}

function upNext(room) {
  const { next, countdown } = room;
  return [
    h("p", { class: "hush small" }, `Next lesson${countdown ? ` in ${countdown}` : ""}`),
    cardTitle(next.title),
    toLesson(room, next, "button large", "Play next lesson", { plays: true }),
    countdown ? button("button quiet", room.stay, "Stay here", { key: "stay" }) : null,
  ];
}

function under(room) {
  const rates = room.speeds.map((rate) => h("option", { value: rate }, `${rate}×`));
  const choose = (event) => (room.speed = Number(event.target.value));
  const startOver = () => [" · ", button("room-text-button", room.again, "Start over")];
  return h("div", { key: "under", class: "room-under small" }, [
    room.note ? h("p", { key: "note", class: "hush" }, [`${room.note} `, room.resumed ? startOver() : null]) : null,
    h("label", { class: "push hush" }, ["Speed ", h("select", { class: "select", value: room.speed, onChange: choose }, rates)]),
  ]);
}

// What is said and asked around the text.

const asksInPlace = (room, what, href, words, look) => h("a", { class: look, href, onClick: (event) => room.ask(event, what) }, words);

function finished(room) {
  return h("div", { key: "finished", class: "banner positive room-finished", role: "status" }, [
    drawn("party-popper"),
    h("p", [
      h("strong", `You finished ${room.room.title}.`),
      " Well done. ",
      asksInPlace(room, "course", room.courseFeedback, "Tell the instructor how it was"),
      " or go ",
      h("a", { href: "/learn" }, "back to my courses"),
    ]),
  ]);
}

function form(what, words) {
  return h("section", { key: `ask-${what}`, class: "room-ask", "aria-label": words }, [h("h2", words), h("div", { ref: "form" })]);
}

function asks(room) {
  return h("p", { key: "asks", class: "room-after" }, asksInPlace(room, "lesson", room.lessonFeedback, "How was this lesson?"));
}

function review(room) {
  const words = room.isFinished ? "How was the course?" : "How do you like the course so far?";
  return h("section", { key: "review", class: "room-ask", "aria-labelledby": "ask-review" }, [
    h("h2", { id: "ask-review" }, words),
    ...(room.asking === "review" ? [h("div", { key: "form", ref: "form" })] : invitation(room)),
  ]);
}

function invitation(room) {
  return [
    h("p", { key: "why", class: "hush" }, "A few words from you help others to choose."),
    h("p", { key: "acts", class: "row wrap" }, [
      asksInPlace(room, "review", `${room.coursePage}/review`, "Write a review", "button outline"),
      button("button quiet", room.putOff, "Not now"),
    ]),
  ];
}

// Above everything.

function keysDialog(room) {
  const close = () => room.$refs.keys.close();
  const lines = SHORTCUTS.map(([keys, words]) => h("div", [h("dt", keys.map((key) => h("kbd", key))), h("dd", words)]));
  return h("dialog", { class: "dialog", ref: "keys", "aria-labelledby": "keys-title", onClick: (event) => event.target === room.$refs.keys && close() }, [
    h("h2", { id: "keys-title" }, "Keyboard shortcuts"),
    h("dl", { class: "room-keys" }, lines),
    choice("room-choice", "Use these keys", room.usesKeys, (isOn) => (room.usesKeys = isOn)),
    h("p", { class: "row" }, button("button push", close, "Close")),
  ]);
}

function toasts({ toast, undo }) {
  const words = () => [drawn("circle-check"), h("span", toast.words), toast.undo ? button("room-text-button", undo, "Undo") : null];
  return h("div", { class: "toasts", role: "status", "aria-live": "polite" }, [
    toast ? h("div", { class: "toast positive", key: toast.words }, words()) : null,
  ]);
}

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
