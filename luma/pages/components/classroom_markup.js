// What the classroom looks like. The page is served with the same markup already in it.

export const icon = (name, extra = "") => `<svg class="icon ${extra}" aria-hidden="true"><use href="#room-${name}"/></svg>`;

export function clock(seconds) {
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
      <span class="room-play">${icon("play")}{{ lesson.position ? "Resume at " + clock(lesson.position - lesson.start) : "Play" }}</span>
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
      <p><strong>You finished {{ room.title }}.</strong> Well done. <a :href="courseFeedback" @click="ask($event, 'course')">Tell the instructor how it was</a> or go <a href="/learn">back to my courses</a></p></div>
    <section v-if="asking === 'course'" class="room-ask" aria-label="How was the course?"><h2>How was the course?</h2><div ref="form"></div></section>
    <div class="prose" v-html="lesson.text_html"></div>
    <section v-if="asking === 'lesson'" class="room-ask" aria-label="How was this lesson?"><h2>How was this lesson?</h2><div ref="form"></div></section>
    <p v-else-if="asksAboutLesson" class="room-after"><a :href="lessonFeedback" @click="ask($event, 'lesson')">How was this lesson?</a></p>
    <section v-if="asksReview" class="room-ask" aria-labelledby="ask-review">
      <h2 id="ask-review">{{ isFinished ? "How was the course?" : "How do you like the course so far?" }}</h2>
      <div v-if="asking === 'review'" ref="form"></div>
      <template v-else>
        <p class="hush">A few words from you help others to choose.</p>
        <p class="row wrap"><a class="button outline" :href="coursePage + '/review'" @click="ask($event, 'review')">Write a review</a>
          <button type="button" class="button quiet" @click="putOff">Not now</button></p>
      </template>
    </section>
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

export const template = `<div class="room" :class="{ theatre, drawer }">${head}${outline}
  <div class="room-shade" @click="closeDrawer"></div>${pane}${keysDialog}${toasts}</div>`;

export const SHORTCUTS = [
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
