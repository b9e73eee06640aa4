export { Doc } from "./doc.js";
export { Field } from "./field.js";
export { Video } from "./video.js";
