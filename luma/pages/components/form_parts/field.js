// One field with its words. The form hears its events.

export const Field = {
  props: { field: Object },
  emits: ["typed", "left", "entered"],
  computed: {
    id() {
      return "form-" + this.field.name;
    },
    about() {
      const ids = [this.field.error && this.id + "-error", this.field.hint && this.id + "-hint"];
      return ids.filter(Boolean).join(" ") || undefined;
    },
    common() {
      return {
        id: this.id,
        value: this.field.value,
        "aria-describedby": this.about,
        "aria-invalid": this.field.error ? "true" : undefined,
        onInput: (event) => this.$emit("typed", event.target.value),
        onFocus: () => this.$emit("entered"),
        onBlur: () => this.$emit("left"),
      };
    },
    left() {
      const { longest, value } = this.field;
      return longest && value.length > longest * 0.8 ? `${value.length} of ${longest} characters` : "";
    },
  },
  template: `
    <div v-if="field.kind === 'switch'" class="field form-switch">
      <label class="form-check">
        <input type="checkbox" :id="id" :checked="field.value === field.on" :aria-describedby="about"
          @change="$emit('typed', $event.target.checked ? field.on : field.off)" @focus="$emit('entered')" @blur="$emit('left')">
        <span>{{ field.label }}</span>
      </label>
      <p v-if="field.hint" class="hint" :id="id + '-hint'">{{ field.hint }}</p>
      <p v-if="field.error" class="error" :id="id + '-error'" role="alert">{{ field.error }}</p>
    </div>
    <div v-else class="field" :class="field.width">
      <label :for="id">{{ field.label }}</label>
      <textarea v-if="field.kind === 'text'" v-bind="common" :rows="field.rows" spellcheck="true"></textarea>
      <select v-else-if="field.kind === 'choice'" v-bind="common">
        <option v-for="option in field.options" :value="option.value">{{ option.label }}</option>
      </select>
      <input v-else v-bind="common" :inputmode="field.inputmode" :placeholder="field.placeholder" autocomplete="off">
      <p v-if="field.hint || left" class="hint" :id="id + '-hint'">{{ left || field.hint }}</p>
      <p v-if="field.error" class="error" :id="id + '-error'" role="alert">{{ field.error }}</p>
    </div>`,
};
