// A form that saves itself, with what students will see beside it. Each lesson or course that was
// opened goes on saving until the server has all of it, also after another one is shown.

import { reactive } from "vue";
import { Doc, Field, Video } from "luma-form";

const SETTLES_WITHIN = 4000;
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const NARROW = 760; // Below it the outline stands above the form; see studio.css.

export default {
  components: { Field, Video },
  props: { sheet: Object, frame: String },
  emits: ["form-save", "form-open"],
  template: `
    <div class="form" @keydown.ctrl.s.prevent="doc.save()" @keydown.meta.s.prevent="doc.save()">
      <form class="form-fields" @submit.prevent="doc.save()" :aria-label="doc.heading" autocomplete="off">
        <div class="form-head">
          <h2>{{ doc.heading }}</h2>
          <button type="button" class="form-link form-up" @click="rise">Outline</button>
          <p class="form-state" :class="{ bad: doc.trouble }">{{ doc.state }}</p>
        </div>
        <p class="only-read" role="status">{{ doc.trouble }}</p>
        <p v-for="other in troubled" class="banner warning">
          <span>“{{ name(other) }}” has a change that is not saved yet.
          <button type="button" class="form-link" @click="$emit('form-open', other.subject)">Open it</button></span>
        </p>
        <section v-if="doc.clash" class="form-clash" role="alert">
          <h3>This was changed in another window</h3>
          <div v-for="both in doc.clash" class="form-versions">
            <div><h4>{{ both.field.label }}: yours</h4><p>{{ words(both.field, both.mine) }}</p></div>
            <div><h4>{{ both.field.label }}: theirs</h4><p>{{ words(both.field, both.theirs) }}</p></div>
          </div>
          <div class="row wrap">
            <button type="button" class="button" @click="doc.choose(true)">Keep mine</button>
            <button type="button" class="button outline" @click="doc.choose(false)">Take theirs</button>
          </div>
        </section>
        <Field v-for="field in doc.fields" :key="doc.subject + field.name" :field="field"
          @typed="typed(field, $event)" @left="doc.leave(field)" @entered="doc.focused = field.name" />
      </form>
      <section class="form-preview" aria-label="Preview">
        <p class="form-kicker">What students see</p>
        <Video v-if="doc.extras.video" :id="doc.extras.video" :start="doc.extras.start" :frame="frame" @length="measured" />
        <h3>{{ doc.field('title').value }}</h3>
        <p v-if="doc.field('summary')" class="hush">{{ doc.field('summary').value }}</p>
        <div class="prose" v-html="doc.extras.html"></div>
        <p v-if="!doc.extras.html && !doc.extras.video" class="hush">Nothing yet. It appears here as you write.</p>
      </section>
    </div>`,

  data() {
    return { docs: [], doc: null };
  },
  computed: {
    troubled() {
      return this.docs.filter((doc) => doc !== this.doc && (doc.clash || doc.fields.some((field) => field.error)));
    },
  },
  created() {
    this.open(this.sheet);
  },
  mounted() {
    window.addEventListener("pagehide", this.saveAll);
  },
  unmounted() {
    window.removeEventListener("pagehide", this.saveAll);
  },

  methods: {
    // What the server calls.

    open(sheet) {
      this.doc?.save();
      if (this.doc && innerWidth <= NARROW) this.$nextTick(() => this.$el.scrollIntoView());
      const known = this.docs.find((doc) => doc.subject === sheet.subject);
      if (known && !known.isClean) return void (this.doc = known);
      this.docs = this.docs.filter((doc) => !doc.isClean && doc !== known);
      this.docs.push(reactive(new Doc(sheet, (...event) => this.$emit(...event))));
      this.doc = this.docs.at(-1);
      this.doc.later(0);
    },
    answer(subject, answer) {
      this.docs.find((doc) => doc.subject === subject)?.hear(answer);
    },
    refresh(subject, sheet) {
      // Changed from outside the form, by a rename in the outline.
      const doc = this.docs.find((doc) => doc.subject === subject);
      if (!doc || doc.sending) return;
      Object.assign(doc, { revision: sheet.revision, extras: sheet.extras });
      doc.merge(sheet.values);
      doc.remember();
    },
    rise() {
      scrollTo(0, 0);
    },
    async unsaved() {
      // Where something else stands than what the server has, once nothing is on its way any more.
      this.saveAll();
      const end = Date.now() + SETTLES_WITHIN;
      while (this.docs.some((doc) => doc.sending) && Date.now() < end) await pause(40);
      const doc = this.docs.find((doc) => !doc.isClean && !doc.gone);
      const field = doc?.changed().find((field) => field.error) ?? doc?.changed()[0];
      return field ? { subject: doc.subject, field: field.name } : null;
    },
    jump(name) {
      this.$nextTick(() => document.getElementById("form-" + name)?.focus());
    },

    typed(field, value) {
      this.doc.type(field, value, field.kind === "choice" || field.kind === "switch" ? 0 : undefined);
    },
    measured(seconds) {
      const field = this.doc.field("duration");
      if (!field || field.value) return;
      const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
      if (!parts[0]) parts.shift();
      this.doc.type(field, parts.map((part, i) => (i ? String(part).padStart(2, "0") : part)).join(":"));
    },
    saveAll() {
      for (const doc of this.docs) doc.save();
    },
    name(doc) {
      return doc.field("title").value;
    },
    words(field, value) {
      if (field.kind === "switch") return value === field.on ? "On" : "Off";
      return field.options?.find((option) => option.value === value)?.label ?? (value || "Nothing");
    },
  },
};
