// One chapter or lesson. The tree hears its events.

export const icon = (name) => `<svg class="icon icon-s"><use href="#tree-${name}"/></svg>`;

export const Row = {
  props: { node: Object, typing: Boolean, hot: Boolean },
  directives: {
    typing: {
      mounted(input, { value }) {
        input.value = value;
        input.focus();
        input.select();
      },
    },
  },
  computed: {
    isChapter() {
      return this.node.kind === "chapter";
    },
    time() {
      const seconds = this.node.duration;
      if (!seconds) return "";
      const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
      if (!parts[0]) parts.shift();
      return parts.map((part, i) => (i ? String(part).padStart(2, "0") : part)).join(":");
    },
  },
  template: `
    <div class="tree-row">
      <span :class="['tree-handle', 'tree-handle-' + node.kind]" aria-hidden="true">${icon("grip-vertical")}</span>
      <span v-if="isChapter" class="tree-toggle" data-do="toggle" aria-hidden="true">${icon("chevron-right")}</span>
      <input v-if="typing" v-typing="node.title" class="tree-input" maxlength="120" autocomplete="off"
        :aria-label="isChapter ? 'Chapter name' : 'Lesson name'" :placeholder="isChapter ? 'Chapter name' : 'Lesson name'">
      <span v-else class="tree-title" :id="'tree-title-' + node.uid">{{ node.title }}</span>
      <span class="tree-marks" :id="'tree-marks-' + node.uid">
        <span v-if="isChapter" class="tree-count">{{ node.lessons.length }}</span>
        <template v-else>
          <span v-if="node.preview" class="tree-mark tree-free">Preview</span>
          <span v-if="node.status === 'draft'" class="tree-mark">Draft</span>
          <span v-if="time" class="tree-time">{{ time }}</span>
        </template>
      </span>
      <span v-if="hot && !typing" class="tree-actions">
        <button type="button" tabindex="-1" data-do="edit" aria-label="Rename" title="Rename (F2)">${icon("pencil")}</button>
        <button type="button" tabindex="-1" data-do="remove" aria-label="Remove" title="Remove (Delete)">${icon("trash-2")}</button>
      </span>
    </div>`,
};
