/** A JSON value to read: as YAML, with a button that copies it as JSON. */
import { useMemo } from 'preact/hooks'
import { Copy } from './say.tsx'
import { yamlPieces } from './yaml.ts'

export function Viewer({ value, label }: { value: unknown; label: string }) {
  const pieces = useMemo(() => yamlPieces(value), [value])
  return (
    <div class="command">
      <pre class="code" tabIndex={0} role="region" aria-label={label}>
        {pieces.map(([kind, text], index) => (kind ? <span key={index} class={kind}>{text}</span> : text))}
      </pre>
      <Copy text={JSON.stringify(value, null, 2)} label={`Copy ${label} as JSON`} />
    </div>
  )
}
