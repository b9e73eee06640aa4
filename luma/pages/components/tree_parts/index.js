export { dragging, sort } from "./dragging.js";
export { model } from "./model.js";
export { Row, icon } from "./row.js";
