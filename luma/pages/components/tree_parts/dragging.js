// SortableJS moves the browser's nodes; they are given back before the model changes, because
// they are Vue's.

import { Sortable } from "nicegui-sortable";

export const sort = {
  mounted(list, { value: kind, instance: tree }) {
    list.sortable = Sortable.create(list, tree.dragging(kind));
  },
  unmounted(list) {
    list.sortable.destroy();
  },
};

export const dragging = {
  dragging(kind) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    return {
      group: "tree-" + kind,
      draggable: ".tree-" + kind,
      handle: ".tree-handle-" + kind,
      forceFallback: true,
      fallbackOnBody: true,
      fallbackTolerance: 4,
      fallbackClass: "tree-ghost",
      ghostClass: "tree-drop",
      emptyInsertThreshold: 24,
      animation: calm ? 0 : 140,
      scrollSensitivity: 72,
      scrollSpeed: 16,
      onStart: (event) => this.lift(event.item, kind),
      onEnd: (event) => this.land(event, kind),
    };
  },
  lift(item, kind) {
    this.settle();
    const hear = new AbortController();
    this.drag = { kind, parent: item.parentNode, next: item.nextSibling, hear };
    document.addEventListener("keydown", this.onDragKey, { capture: true, signal: hear.signal });
    document.addEventListener("pointermove", this.onDragOver, { signal: hear.signal });
    if (kind === "chapter") this.shrink(item);
  },
  shrink(item) {
    const top = item.getBoundingClientRect().top;
    item.parentNode.classList.add("tree-shrunk");
    let pane = item.parentNode;
    while (pane.parentElement && !/auto|scroll/.test(getComputedStyle(pane).overflowY)) pane = pane.parentElement;
    (pane.parentElement ? pane : document.scrollingElement).scrollTop += item.getBoundingClientRect().top - top;
  },
  land(event, kind) {
    const { parent, next, hear, timer, cancelled } = this.drag;
    hear.abort();
    clearTimeout(timer);
    this.drag = null;
    parent.insertBefore(event.item, next);
    this.$el.querySelector(".tree-chapters").classList.remove("tree-shrunk");
    const [was, index] = [event.oldDraggableIndex, event.newDraggableIndex];
    const [from, to] = [event.from, event.to].map((list) => this.find(Number(list.dataset.uid))?.node);
    if (this.late) this.reset(this.late);
    else if (cancelled) this.say("Move cancelled.");
    else if (kind === "chapter" && was !== index) this.moveChapter(was, index);
    else if (kind === "lesson" && (from !== to || was !== index)) this.moveLesson(from, was, to, index);
    this.late = null;
  },
  onDragKey(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.drag.cancelled = true;
    document.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
  },
  onDragOver(event) {
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const uid = this.drag.kind === "lesson" && Number(under?.closest(".tree-chapter[aria-expanded=false]")?.dataset.uid);
    if (uid === this.drag.over) return;
    clearTimeout(this.drag.timer);
    this.drag.over = uid;
    if (uid) this.drag.timer = setTimeout(() => this.closed.delete(uid), 600);
  },
};
