import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect, useRef } from "react";
import { activity } from "./activity";
import { editorLook } from "./monaco-themes";

/** GraphiQL's styles follow the system while the page is open; its editors need to be told. */
export function FollowSystemTheme(): null {
  const { setTheme } = useGraphiQLActions();
  const theme = useGraphiQL((state) => state.theme);
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => theme === null && setTheme(null);
    system.addEventListener("change", follow);
    return () => system.removeEventListener("change", follow);
  }, [theme, setTheme]);
  return null;
}

/** A new tab would otherwise receive the events of the subscription of the tab before. */
export function StopOnTabChange(): null {
  const { stop } = useGraphiQLActions();
  const tab = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.id);
  const before = useRef(tab);
  useEffect(() => {
    if (before.current === tab) return;
    before.current = tab;
    stop();
    activity.set({ kind: "idle" });
  }, [tab, stop]);
  return null;
}

/** GraphiQL names a font of its own when it makes its editors, and offers no way to say another. */
export function DressEditors(): null {
  const editors = useGraphiQL((state) => [
    state.queryEditor,
    state.variableEditor,
    state.headerEditor,
    state.responseEditor,
  ]);
  useEffect(() => {
    for (const editor of editors) editor?.updateOptions(editorLook);
  }, [editors]);
  return null;
}
