import type { ReactElement } from "react";
import type { Open } from "./app.tsx";

const ofDevices = [
  ["showCode", "Show a code", "The other device scans or enters it."],
  ["enterCode", "Enter a code", "The other device shows it."],
] as const;

/** How to link this device with another one. */
export function DeviceChoices({ open }: { open: Open }): ReactElement {
  return <Choices label="How to link a device" alias="Us" choices={ofDevices} open={open} />;
}

/** How to verify a friend. */
export function FriendChoices({ name, open }: { name: string; open: Open }): ReactElement {
  const choices = [
    ["showCode", "Show a code", `${name} is beside you, or reads what you send in another app.`],
    ["enterCode", "Enter a code", `${name} shows you one, or has sent it.`],
    ["compare", "Compare numbers", `You are together, or talk on the phone.`],
  ] as const;
  return <Choices label={`How to verify ${name}`} alias={name} choices={choices} open={open} />;
}

interface Props {
  readonly label: string;
  readonly alias: string;
  readonly choices: readonly (readonly [view: Parameters<Open>[0], title: string, when: string])[];
  readonly open: Open;
}

function Choices({ label, alias, choices, open }: Props): ReactElement {
  return (
    <ul className="choices" aria-label={label}>
      {choices.map(([view, title, when], index) => (
        <li key={view}>
          <button type="button" className={index > 0 ? "quiet" : undefined} onClick={() => open(view, alias)}>
            {title}
          </button>
          <small>{when}</small>
        </li>
      ))}
    </ul>
  );
}
