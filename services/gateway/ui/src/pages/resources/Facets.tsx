/** What resources can be filtered by. A press writes a clause into the expression, or takes it out. */
import { useSignal } from '@preact/signals'
import type { ApiError } from '../../api/error.ts'
import type { ResourceFacets } from '../../api/schema'
import { chosen, metadataPath, toggled } from '../../cel/clauses.ts'
import { Icon } from '../../parts/base.tsx'
import { ErrorCard, Skeleton } from '../../parts/say.tsx'

interface Value {
  value: string
  label?: string
  count: number
}

interface FacetsProps {
  every: ResourceFacets | undefined
  /** The same of what is found; undefined: not counted. */
  among: ResourceFacets | undefined
  text: string
  onText(text: string): void
  error: ApiError | null
  retry(): void
}

const FIRST_KEYS = 8

export function Facets({ every, among, text, onText, error, retry }: FacetsProps) {
  const all = useSignal(false)
  // On a small screen the list comes first: facets are one press away.
  const open = useSignal(!matchMedia('(max-width: 1000px)').matches)
  if (error && !every) return <div class="facets"><ErrorCard error={error} what="Facets could not be read." retry={retry} /></div>
  if (!every) return <div class="facets"><Skeleton lines={10} /></div>
  // What is found decides the order: keys that nothing of it has come last.
  const having = new Map(among?.metadata.map((one) => [one.key, one.count]))
  const ordered = among ? [...every.metadata].sort((a, b) => Number(having.has(b.key)) - Number(having.has(a.key))) : every.metadata
  const keys = all.value ? ordered : ordered.slice(0, FIRST_KEYS)
  const providers = (of: ResourceFacets) => of.providers.map(({ id, name, count }) => ({ value: id, label: name, count }))
  const more = every.metadata.length - FIRST_KEYS
  return (
    <details class="facets" open={open.value} onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>
        <Icon name="filter" /> Facets
      </summary>
      <div class="in">
        <Facet title="Kind" path="resource.kind" values={every.kinds} among={among?.kinds} text={text} onText={onText} />
        {every.providers.length ? <Facet title="Provider" path="resource.providerId" values={providers(every)} among={among && providers(among)} text={text} onText={onText} /> : null}
        {keys.map(({ key, values }) => (
          <Facet key={key} title={key} path={metadataPath(key)} values={values} among={among && (among.metadata.find((one) => one.key === key)?.values ?? [])} text={text} onText={onText} />
        ))}
        {more > 0 ? (
          <button type="button" class="btn bare small" onClick={() => (all.value = !all.peek())}>
            {all.value ? 'Fewer keys' : `${more} more ${more === 1 ? 'key' : 'keys'}`}
          </button>
        ) : null}
      </div>
    </details>
  )
}

const FIRST_VALUES = 6

interface FacetProps {
  title: string
  path: string
  values: readonly Value[]
  among: readonly Value[] | undefined
  text: string
  onText(text: string): void
}

function Facet({ title, path, values, among, text, onText }: FacetProps) {
  const all = useSignal(false)
  const on = chosen(text, path)
  const counts = among && new Map(among.map((one) => [one.value, one.count]))
  const ordered = counts ? [...values].sort((a, b) => Number(on.includes(b.value)) - Number(on.includes(a.value)) || (counts.get(b.value) ?? 0) - (counts.get(a.value) ?? 0)) : values
  const shown = ordered.filter((one, index) => all.value || index < FIRST_VALUES || on.includes(one.value))
  return (
    <div class="facet" role="group" aria-label={title}>
      <h2>{title}</h2>
      {shown.map(({ value, label, count }) => {
        const among = counts ? (counts.get(value) ?? 0) : count
        return (
          <button key={value} type="button" aria-pressed={on.includes(value)} data-none={among ? undefined : ''} onClick={() => onText(toggled(text, path, value))}>
            <span class="cut">{label ?? value}</span>
            <span class="num">{among.toLocaleString('en')}</span>
          </button>
        )
      })}
      {values.length > FIRST_VALUES ? (
        <button type="button" class="rest" onClick={() => (all.value = !all.peek())}>
          {all.value ? 'fewer' : `${values.length - FIRST_VALUES} more`}
        </button>
      ) : null}
    </div>
  )
}
