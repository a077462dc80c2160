import "./styles";
import "./workers";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { defineThemes } from "./monaco-themes";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

await defineThemes();
createRoot(root).render(<App />);
