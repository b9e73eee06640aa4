// The lesson's video as students will see it: a still until it is played. The player tells how
// long the video is.

export const Video = {
  props: { id: String, start: Number, frame: String },
  emits: ["length"],
  data() {
    return { plays: false };
  },
  computed: {
    still() {
      return `https://i.ytimg.com/vi/${this.id}/hqdefault.jpg`;
    },
    source() {
      const options = { start: this.start, autoplay: 1, rel: 0, enablejsapi: 1, origin: location.origin };
      return `${this.frame}/embed/${this.id}?${new URLSearchParams(options)}`;
    },
  },
  watch: {
    id() {
      this.plays = false;
    },
  },
  mounted() {
    window.addEventListener("message", this.hear);
  },
  unmounted() {
    window.removeEventListener("message", this.hear);
  },
  methods: {
    listen() {
      this.$refs.frame.contentWindow.postMessage(JSON.stringify({ event: "listening", id: 1 }), this.frame);
    },
    hear(event) {
      if (event.origin !== this.frame || event.source !== this.$refs.frame?.contentWindow) return;
      try {
        const seconds = Math.round(JSON.parse(event.data).info?.duration ?? 0);
        if (seconds > 0) this.$emit("length", seconds);
      } catch {
        // Not one of the player's messages.
      }
    },
  },
  template: `
    <div class="form-video">
      <iframe v-if="plays" ref="frame" :src="source" title="Video" @load="listen"
        allow="autoplay; encrypted-media; picture-in-picture; fullscreen" referrerpolicy="strict-origin-when-cross-origin"></iframe>
      <button v-else type="button" @click="plays = true">
        <img :src="still" alt="" @error="$event.target.hidden = true"><span class="button">Play video</span>
      </button>
    </div>`,
};
