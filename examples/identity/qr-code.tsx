import type { ReactElement } from "react";
import { encode } from "uqr";

/** A text as an image that a camera reads. */
export function QrCode({ text }: { text: string }): ReactElement {
  const { size, data } = encode(text, { ecc: "M", border: 4 });
  const path = data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg className="qr" role="img" aria-label="The code as an image" viewBox={`0 0 ${size} ${size}`}>
      <path d={path} />
    </svg>
  );
}
