import { useIdentity, useTrust } from "bonevalue/react";
import { type ReactElement, useState } from "react";
import type { Open } from "./app.tsx";
import { Problem } from "./card.tsx";
import { DeviceChoices } from "./choices.tsx";

/** The devices of this user. */
export function Devices({ open }: { open: Open }): ReactElement {
  const { removeDevice, pending, error } = useTrust();
  const identity = useIdentity();
  const [leaving, setLeaving] = useState("");
  const [isLinking, setLinking] = useState(false);
  const devices = identity?.devices.filter(({ removed }) => !removed) ?? [];
  return (
    <section className="card">
      <h2>Your devices</h2>
      <ul className="rows" aria-label="Your devices">
        <li>
          This device
          {!isLinking && (
            <button type="button" className="quiet" onClick={() => setLinking(true)}>
              Link another
            </button>
          )}
          {isLinking && <DeviceChoices open={open} />}
        </li>
        {devices.map(({ device, since }) => (
          <li key={device}>
            Another device <small>linked on {since.toLocaleDateString([], { dateStyle: "medium" })}</small>
            {leaving === device ? (
              <button type="button" disabled={pending} onClick={() => removeDevice(device)}>
                Remove for good
              </button>
            ) : (
              <button type="button" className="quiet" onClick={() => setLeaving(device)}>
                Remove
              </button>
            )}
          </li>
        ))}
      </ul>
      <Problem error={error} />
    </section>
  );
}
