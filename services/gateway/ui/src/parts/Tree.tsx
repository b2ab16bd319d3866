/** A JSON value as a tree: each object and list opens and closes, with the browser's own <details>. */
import '../styles/tree.css'
import { Copy } from './say.tsx'

type Json = unknown

/** `open`: how many levels are open at first. */
export function Tree({ value, label, open = 1 }: { value: Json; label: string; open?: number }) {
  return (
    <div class="tree command">
      <div role="group" aria-label={label}>
        <Members value={value} open={open} />
      </div>
      <Copy text={JSON.stringify(value, null, 2)} label={`Copy ${label} as JSON`} />
    </div>
  )
}

function Members({ value, open }: { value: Json; open: number }) {
  return (
    <ul>
      {entriesOf(value).map(([name, one]) => (
        <li key={name}>
          <Member name={name} value={one} open={open} />
        </li>
      ))}
    </ul>
  )
}

function Member({ name, value, open }: { name: string; value: Json; open: number }) {
  const inside = isInner(value) ? entriesOf(value).length : 0
  if (!inside) {
    return (
      <span class="leaf">
        <span class="key">{name}</span> <span class={`value ${kindOf(value)}`}>{textOf(value)}</span>
      </span>
    )
  }
  return (
    <details open={open > 0}>
      <summary>
        <span class="key">{name}</span> <span class="faint small">{Array.isArray(value) ? `${inside} in a list` : `${inside} ${inside === 1 ? 'field' : 'fields'}`}</span>
      </summary>
      <Members value={value} open={open - 1} />
    </details>
  )
}

function isInner(value: Json): value is object {
  return typeof value === 'object' && value !== null
}

function entriesOf(value: Json): [string, Json][] {
  return isInner(value) ? Object.entries(value) : []
}

function kindOf(value: Json): string {
  return value === null || isInner(value) ? 'none' : typeof value
}

function textOf(value: Json): string {
  if (value === '') return 'empty'
  if (Array.isArray(value)) return 'nothing in the list'
  if (isInner(value)) return 'nothing'
  return String(value)
}
