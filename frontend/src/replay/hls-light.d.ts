/** The light build has the full build's types, but its package does not say so. */
declare module "hls.js/light" {
  export { default } from "hls.js";
  export type * from "hls.js";
}
