// The summary of the lesson that is open in the studio: written by hand, by the AI or out of the
// lesson's own sentences, and approved. What is typed saves itself; only what stands here is approved.

const PAUSE = 700;

const SOURCES = {
  ai: "Written by the AI. Read it before you approve it.",
  extract: "The lesson's own sentences. Read them before you approve them.",
  person: "",
};

export default {
  props: { panel: Object },
  emits: ["summary"],
  template: `
    <div v-if="now" class="summary-place">
    <div v-if="now.todos.length" class="banner"><div>
      <p class="label">To do here, because students said so</p>
      <ul class="summary-todos"><li v-for="todo in now.todos">{{ todo }}</li></ul>
      <a :href="now.insights">Open the list</a></div></div>
    <section class="summary-panel" aria-labelledby="summary-title" @keydown.ctrl.s.prevent="save" @keydown.meta.s.prevent="save">
      <div class="summary-head">
        <h2 id="summary-title">Summary</h2>
        <p class="summary-marks">
          <span v-if="now.is_stale" class="mark warning">The lesson has changed since</span>
          <span v-if="writing !== null" class="mark light" role="status">Writing…</span>
          <span v-else-if="isDraft" class="mark">Draft, only you see it</span>
          <span v-if="now.is_approved" class="mark positive">{{ isDraft ? "Students see an older one" : "Students see this" }}</span>
        </p>
      </div>
      <p v-if="trouble" class="banner negative" role="alert"><span>{{ trouble }}</span></p>
      <div v-if="theirs" class="banner warning" role="alert"><span>This summary was changed in another window. It says there: “{{ theirs.text || "nothing" }}”
        <span class="row wrap"><button type="button" class="button outline" @click="choose(true)">Keep mine</button>
        <button type="button" class="button outline" @click="choose(false)">Take theirs</button></span></span></div>
      <div class="field">
        <label for="summary-text">What students read above the lesson</label>
        <textarea id="summary-text" rows="7" maxlength="3000" aria-describedby="summary-about" spellcheck="true"
          :readonly="writing !== null" :value="writing ?? text" @input="typed($event.target.value)" @blur="save"></textarea>
        <p id="summary-about" class="hint">{{ about }}</p>
      </div>
      <div class="row wrap summary-acts">
        <template v-if="writing !== null"><button type="button" class="button outline" @click="say('stop')">Stop</button></template>
        <template v-else>
          <button type="button" class="button" :disabled="!text.trim() || !canApprove" :aria-busy="busy('approve')" @click="say('approve')">Approve summary</button>
          <button type="button" class="button outline" :aria-disabled="String(!now.ai)" aria-describedby="summary-price" :aria-busy="busy('write')" @click="now.ai && say('write')">
            {{ text ? "Write again with AI" : "Write with AI" }}</button>
          <button type="button" class="button quiet" :aria-busy="busy('extract')" @click="say('extract')">Use the lesson's own sentences</button>
          <button v-if="isDraft && text" type="button" class="button quiet" :aria-busy="busy('discard')" @click="say('discard')">Discard draft</button>
          <button v-if="now.is_approved" type="button" class="button quiet" :aria-busy="busy('withdraw')" @click="say('withdraw')">Take it back from students</button>
        </template>
      </div>
      <p id="summary-price" class="hint">{{ now.price }} <span v-if="waits" class="hush">Saving…</span></p>
    </section></div>`,

  data() {
    return { now: null, text: "", base: "", writing: null, trouble: "", theirs: null, doing: "", pressed: "" };
  },
  computed: {
    isDraft() {
      return this.now.is_draft || this.text !== this.base;
    },
    canApprove() {
      return this.isDraft || this.now.is_stale;
    },
    waits() {
      return this.text !== this.base && !this.theirs;
    },
    about() {
      if (!this.isDraft || !this.text) return "Two to six sentences. Only what you approve reaches students.";
      return [SOURCES[this.now.source], this.now.cost].filter(Boolean).join(" ");
    },
  },
  created() {
    this.show(this.panel);
  },
  methods: {
    // What the server calls.

    show(panel) {
      // Another lesson, or this one as it is now. What is being typed stays.
      const isOther = panel?.lesson !== this.now?.lesson;
      const untouched = isOther || this.text === this.base || this.text === this.sent;
      if (isOther) Object.assign(this, { trouble: "", theirs: null, writing: null, pressed: "" });
      this.now = panel;
      this.doing = "";
      if (!panel) return;
      if (untouched || this.text.trimEnd() === panel.text) this.text = this.text.trimEnd() === panel.text && !isOther ? this.text : panel.text;
      this.base = this.text.trimEnd() === panel.text ? this.text : panel.text;
      this.writing = panel.writing;
      if (this.text !== this.base) this.later();
      const { pressed } = this;
      this.pressed = "";
      if (pressed) this.say(pressed);
    },
    write(lesson, piece) {
      if (lesson === this.now?.lesson && this.writing !== null) this.writing += piece;
    },
    clash(panel) {
      if (panel.lesson !== this.now?.lesson) return;
      Object.assign(this, { doing: "", pressed: "" });
      if (panel.text === this.text.trimEnd()) return void this.show(panel);
      this.theirs = panel;
    },
    fail(lesson, words) {
      if (lesson !== this.now?.lesson) return;
      Object.assign(this, { trouble: words, doing: "", pressed: "", writing: null });
    },

    // What a person does.

    typed(value) {
      this.text = value;
      this.later();
    },
    later() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.save(), PAUSE);
    },
    save() {
      clearTimeout(this.timer);
      if (!this.now || this.text === this.base || this.theirs || this.doing || this.writing !== null) return;
      this.sent = this.text;
      this.say("edit");
    },
    choose(mine) {
      const { theirs } = this;
      this.theirs = null;
      if (mine) {
        this.now = theirs;
        this.base = theirs.text;
        this.save();
      } else {
        this.text = this.base = theirs.text;
        this.show(theirs);
      }
    },
    say(act) {
      // Leaving the field saves it, also on the way to a button: that waits for the answer.
      if (this.doing === "edit" && act !== "edit") return void (this.pressed = act);
      if (this.doing && act !== "stop") return;
      clearTimeout(this.timer);
      this.doing = act;
      this.trouble = "";
      const { lesson, revision } = this.now;
      this.$emit("summary", { act, lesson, revision, text: this.text });
      setTimeout(() => this.doing === act && (this.doing = ""), 5000);
    },
    busy(act) {
      return String(this.doing === act || this.pressed === act);
    },
  },
};
