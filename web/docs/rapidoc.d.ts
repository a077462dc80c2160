/** A web component that registers itself: it exports nothing that we use. */
declare module "rapidoc";
