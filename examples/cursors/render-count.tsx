import { type ReactElement, useEffect, useRef } from "react";

/** How often the component that holds it has rendered. It writes to the page itself: to count is no reason to render. */
export function RenderCount(): ReactElement {
  const count = useRef(0);
  const place = useRef<HTMLOutputElement>(null);
  useEffect(() => {
    count.current++;
    place.current!.textContent = `rendered ${count.current}×`;
  });
  return <output ref={place} />;
}
