import "./styles";
import "./workers";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { defineThemes, editorLook } from "./monaco-themes";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

// Editors measure their font once, so it has to be there before them.
const font = document.fonts.load(`${editorLook.fontSize}px ${editorLook.fontFamily}`);
await Promise.all([defineThemes(), font]);

// A third of the window is too much for a list, and variables are few lines beside their operation;
// whoever drags the borders keeps their own.
const shares = { docExplorerFlex: "0.28", secondaryEditorFlex: "5" };
for (const [name, share] of Object.entries(shares)) {
  if (!localStorage.getItem(`graphiql:${name}`)) localStorage.setItem(`graphiql:${name}`, share);
}

createRoot(root).render(<App />);
