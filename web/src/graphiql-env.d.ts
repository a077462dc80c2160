// What the packages leave untyped.
declare module "monaco-graphql/esm/monaco-editor.js" {
  export * from "monaco-editor";
}
