import { type ReactElement, useEffect, useRef } from "react";

/** Shows how often its parent has rendered. It writes to the DOM directly, so that counting causes no render. */
export function RenderCount(): ReactElement {
  const count = useRef(0);
  const output = useRef<HTMLOutputElement>(null);
  useEffect(() => {
    count.current++;
    output.current!.textContent = `rendered ${count.current}×`;
  });
  return <output ref={output} />;
}
