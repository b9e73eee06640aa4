// The outline of a course: chapters and lessons, walked, named, grown and moved by keyboard,
// mouse and touch. A change is shown at once and told to the server, which may take it back by
// reset(). New nodes have no id until the server names them; changes that need one wait.

import { Row, dragging, icon, model, sort } from "luma-tree";

const KEYS = {
  ArrowDown: (tree) => tree.walk(1),
  ArrowUp: (tree) => tree.walk(-1),
  ArrowRight: (tree) => tree.unfold(),
  ArrowLeft: (tree) => tree.fold(),
  Home: (tree) => tree.walk(-Infinity),
  End: (tree) => tree.walk(Infinity),
  Enter: (tree) => tree.grow(),
  " ": (tree) => tree.pick(),
  F2: (tree) => tree.edit(),
  Delete: (tree) => tree.remove(),
  Backspace: (tree) => tree.remove(),
  "Alt+ArrowDown": (tree) => tree.shift(1),
  "Alt+ArrowUp": (tree) => tree.shift(-1),
};

export default {
  components: { Row },
  directives: { sort },
  props: { nodes: Array, selected: String, icons: String, label: String },
  emits: ["move-lesson", "move-chapter", "rename", "add", "remove", "pick"].map((name) => "outline-" + name),
  template: `
    <div class="tree" @keydown="onKey" @click="onClick" @dblclick="onDouble" @pointerover="onOver"
        @pointerleave="hot = 0" @focusin="onFocus" @focusout="onBlur">
      <svg class="tree-icons" aria-hidden="true" v-html="icons"></svg>
      <form v-if="!chapters.length" class="tree-first field" @submit.prevent="addFirst">
        <label for="tree-first">Name your first chapter</label>
        <input id="tree-first" maxlength="120" autocomplete="off">
        <button class="button">Add chapter</button>
      </form>
      <template v-else>
        <ul v-sort="'chapter'" role="tree" class="tree-chapters" :aria-label="label" aria-describedby="tree-keys">
          <li v-for="(chapter, c) in chapters" :key="chapter.uid" v-bind="item(chapter, c, chapters, 1)"
              class="tree-chapter" :aria-expanded="isOpen(chapter)">
            <Row v-bind="row(chapter)" />
            <ul v-sort="'lesson'" v-show="isOpen(chapter)" role="group" class="tree-lessons" :data-uid="chapter.uid">
              <li v-for="(lesson, l) in chapter.lessons" :key="lesson.uid" v-memo="looks(lesson, l, chapter.lessons)"
                  v-bind="item(lesson, l, chapter.lessons, 2)"
                  class="tree-lesson" :aria-selected="lesson.uid === picked">
                <Row v-bind="row(lesson)" />
              </li>
              <li class="tree-tail" role="treeitem" aria-level="2" :data-uid="chapter.tail.uid" data-do="grow"
                  :tabindex="tab(chapter.tail)">${icon("plus")}Add lesson</li>
            </ul>
          </li>
        </ul>
        <button type="button" class="tree-more button quiet" data-do="grow-chapter">${icon("plus")}Add chapter</button>
        <p id="tree-keys" class="tree-keys">Arrow keys walk, Space opens, Enter adds, F2 renames, Alt+↑ and Alt+↓ move,
          Delete removes.</p>
      </template>
      <p class="only-read" role="status">{{ said }}</p>
    </div>`,

  data() {
    return { chapters: [], closed: new Set(), active: 0, hot: 0, typing: null, picked: 0, said: "" };
  },

  created() {
    Object.assign(this, { uids: 0, queue: [], unnamed: new Map(), seen: 0, drag: null, late: null });
    this.touches = matchMedia("(hover: none)").matches;
    this.chapters = this.planted(this.nodes);
    this.active = this.chapters[0]?.uid ?? 0;
    this.select(this.selected);
  },

  methods: {
    ...model,
    ...dragging,

    // What the server calls.

    reset(nodes) {
      if (this.drag) return void (this.late = nodes);
      const [fresh, place] = [this.typing?.fresh && this.find(this.typing.uid), this.place(this.active)];
      const focused = this.hasFocus();
      Object.assign(this, { queue: [], unnamed: new Map(), seen: this.seen + 1 });
      this.chapters = this.planted(nodes);
      if (fresh) this.replant(fresh);
      if (!this.find(this.active)) this.active = this.nearest(place);
      if (this.typing) this.holdTyping();
      else if (focused) this.focus(this.active);
    },
    holdTyping() {
      // Vue moves the field among its rows, which takes the focus from it.
      this.typing.held = true;
      this.$nextTick(() => {
        if (this.typing) this.typing.held = false;
        this.$el.querySelector(".tree-input")?.focus();
      });
    },
    named(uid, id) {
      const node = this.find(uid)?.node ?? this.unnamed.get(uid);
      if (node) node.id = id;
      this.unnamed.delete(uid);
      this.flush();
    },
    select(lesson) {
      this.picked = this.all().find((node) => node.id === lesson)?.uid ?? 0;
      if (this.picked && !this.hasFocus()) this.active = this.picked;
    },
    patch(lesson, fields) {
      const found = this.all().find((node) => node.id === lesson);
      if (found) Object.assign(found, fields);
    },

    // Walking

    walk(step) {
      this.focus(this.nearest(this.place(this.active) + step));
    },
    unfold() {
      const { node } = this.find(this.active);
      if (node.kind !== "chapter") return;
      if (this.isOpen(node)) this.walk(1);
      else this.closed.delete(node.uid);
    },
    fold() {
      const { node, chapter } = this.find(this.active);
      if (chapter) this.focus(chapter.uid);
      else this.closed.add(node.uid);
    },
    toggle() {
      const { node } = this.find(this.active);
      if (this.isOpen(node)) this.closed.add(node.uid);
      else this.closed.delete(node.uid);
    },
    pick() {
      const { node } = this.find(this.active);
      if (node.kind === "chapter") this.toggle();
      else if (node.kind === "tail") this.grow();
      else {
        this.picked = node.uid;
        this.send("pick", { lesson: node });
      }
    },

    // Naming, adding, removing

    edit() {
      const { node } = this.find(this.active);
      if (node.kind !== "tail") this.typing = { uid: node.uid };
    },
    grow() {
      const { node, chapter, list, index } = this.find(this.active);
      if (chapter) this.sow("lesson", chapter, list, node.kind === "tail" ? index : index + 1);
      else this.sow("chapter", null, list, index + 1);
    },
    growChapter() {
      this.sow("chapter", null, this.chapters, this.chapters.length);
    },
    sow(kind, chapter, list, index) {
      this.settle();
      const node = { kind, uid: ++this.uids, id: undefined, title: "" };
      if (kind === "chapter") Object.assign(node, { lessons: [], tail: { kind: "tail", uid: ++this.uids } });
      else Object.assign(node, { status: "draft", duration: 0, preview: false });
      this.typing = { uid: node.uid, fresh: true, from: this.active };
      list.splice(index, 0, node);
      this.active = node.uid;
    },
    addFirst(event) {
      const title = event.target.elements[0].value.replace(/\s+/g, " ").trim();
      if (!title) return event.target.elements[0].focus();
      this.growChapter();
      this.keep(title);
      this.focus(this.active);
    },
    keep(value) {
      const typed = this.typing;
      if (!typed) return;
      const title = value.replace(/\s+/g, " ").trim();
      if (typed.fresh && !title) return this.forget();
      this.typing = null;
      const { node, chapter, list, index } = this.find(typed.uid);
      if (!title || title === node.title) return;
      node.title = title;
      if (!typed.fresh) {
        this.send("rename", { kind: node.kind, id: node, title });
        return this.say(`Renamed to ${title}.`);
      }
      this.unnamed.set(node.uid, node);
      const after = index ? list[index - 1] : null;
      this.send("add", { kind: node.kind, chapter: chapter ?? null, after, title, token: node.uid });
      this.say(`Added ${title}.`);
    },
    forget() {
      const { uid, fresh, from } = this.typing;
      this.typing = null;
      if (!fresh) return;
      const { list, index } = this.find(uid);
      list.splice(index, 1);
      this.active = this.find(from) ? from : this.nearest(0);
    },
    settle() {
      if (this.typing) this.keep(this.$el.querySelector(".tree-input")?.value ?? "");
    },
    remove() {
      const { node, chapter, list, index } = this.find(this.active);
      if (node.kind === "tail") return;
      list.splice(index, 1);
      this.send("remove", { kind: node.kind, id: node });
      this.say(`Removed ${node.title}.`);
      this.focus((list[index] ?? list[index - 1] ?? chapter)?.uid ?? 0);
    },

    // Events of the browser, heard once for the whole tree

    uidOf(target) {
      return Number(target.closest?.("[role=treeitem]")?.dataset.uid ?? 0);
    },
    onKey(event) {
      if (event.target.matches(".tree-input")) return this.onTyped(event);
      if (!event.target.matches("[role=treeitem]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const act = KEYS[(event.altKey ? "Alt+" : "") + event.key];
      if (!act) return;
      event.preventDefault();
      act(this);
    },
    onTyped(event) {
      if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Enter") this.keep(event.target.value);
      else this.forget();
      this.focus(this.active);
    },
    onClick(event) {
      const act = event.target.closest("[data-do]")?.dataset.do;
      if (act === "grow-chapter") return this.growChapter();
      const uid = this.uidOf(event.target);
      if (!uid || event.target.matches(".tree-input") || event.target.closest(".tree-handle")) return;
      this.active = uid;
      if (act) this[act]();
      else if (event.detail < 2 && this.find(uid).node.kind === "lesson") this.pick();
      if (!this.typing) this.focus(this.active);
    },
    onDouble(event) {
      if (event.target.closest(".tree-title")) this.edit();
    },
    onOver(event) {
      this.hot = this.uidOf(event.target);
    },
    onFocus(event) {
      const uid = this.uidOf(event.target);
      if (uid) this.active = uid;
    },
    onBlur(event) {
      if (event.target.matches(".tree-input") && !this.typing?.held) this.keep(event.target.value);
    },
    focus(uid) {
      this.active = uid;
      const go = () => this.$el.querySelector(`[role=treeitem][data-uid="${this.active}"], #tree-first`)?.focus();
      this.$nextTick(go);
    },
    hasFocus() {
      return this.$el?.contains(document.activeElement) ?? false;
    },
    say(words) {
      this.said = words === this.said ? words + "\u00a0" : words;
    },

    // What a row needs

    tab(node) {
      return node.uid === this.active ? 0 : -1;
    },
    item(node, index, list, level) {
      return {
        role: "treeitem",
        tabindex: this.tab(node),
        "data-uid": node.uid,
        "aria-level": level,
        "aria-setsize": list.length,
        "aria-posinset": index + 1,
        "aria-labelledby": `tree-title-${node.uid} tree-marks-${node.uid}`,
      };
    },
    looks(lesson, index, list) {
      // A row is drawn again only when one of these changes: there may be a thousand of them.
      const { uid, title, status, duration, preview } = lesson;
      const is = [this.active, this.hot, this.picked, this.typing?.uid].map((marked) => marked === uid);
      return [title, status, duration, preview, index, list.length, ...is];
    },
    row(node) {
      const hot = this.hot === node.uid || (this.touches && this.active === node.uid);
      return { node, typing: this.typing?.uid === node.uid, hot };
    },
  },
};
