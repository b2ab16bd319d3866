/** The common parts of a policy as a form. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import type { Vocabulary } from '../../cel/complete.ts'
import { Icon } from '../../parts/base.tsx'
import { Button } from '../../parts/Button.tsx'
import { CelField } from '../../parts/CelField.tsx'
import { Menu } from '../../parts/Menu.tsx'
import { FORMS, type Field, withField } from '../../rules/forms.ts'
import { KINDS, type Kind, kindsOf, sentencesOf } from '../../rules/sentences.ts'
import type { Drafted } from './useDraft.ts'

export function Form({ drafted, words }: { drafted: Drafted; words: Vocabulary }) {
  const { draft, set, wrong } = drafted
  const { name, description = '', selector, priority, enabled, rules } = draft.value
  const change = (index: number, rule: Record<string, unknown>) => set({ rules: rules.map((one, place) => (place === index ? rule : one)) })
  return (
    <div class="policy-form">
      <Labelled label="Name" wrong={wrong('name')?.message} hint={name.trim() ? undefined : 'What people call it when it holds something.'}>
        {(id) => <input id={id} class="field" value={name} required onInput={(event) => set({ name: event.currentTarget.value })} />}
      </Labelled>
      <Labelled label="Description (optional)" wrong={wrong('description')?.message}>
        {(id) => <input id={id} class="field" value={description} onInput={(event) => set({ description: event.currentTarget.value })} />}
      </Labelled>
      <CelField label="For targets that fit" value={selector} words={words} mistake={wrong('selector')} note="An expression on resource, environment and deployment." onInput={(text) => set({ selector: text })} />
      <div class="form-pair">
        <Labelled label="Priority" wrong={wrong('priority')?.message}>
          {(id) => <Whole id={id} value={priority} onChange={(next) => set({ priority: next })} />}
        </Labelled>
        <label class="check">
          <input type="checkbox" checked={enabled} onChange={(event) => set({ enabled: event.currentTarget.checked })} /> Switched on
        </label>
      </div>
      {rules.map((rule, index) => (
        <RuleFields key={String(rule['id'] ?? index)} rule={rule} index={index} drafted={drafted} words={words} onChange={(next) => change(index, next)} onRemove={() => set({ rules: rules.filter((_, place) => place !== index) })} />
      ))}
      <div>
        <Menu label="Add a rule" class="btn" items={KINDS.map((kind) => ({ label: FORMS[kind].title, onPick: () => set({ rules: [...rules, { [kind]: FORMS[kind].fresh }] }) }))}>
          <Icon name="plus" /> Add a rule
        </Menu>
      </div>
    </div>
  )
}

interface RuleProps {
  rule: Record<string, unknown>
  index: number
  drafted: Drafted
  words: Vocabulary
  onChange(rule: Record<string, unknown>): void
  onRemove(): void
}

function RuleFields({ rule, index, drafted, words, onChange, onRemove }: RuleProps) {
  const kinds = kindsOf(rule)
  const title = kinds.map((kind) => FORMS[kind].title).join(' and ') || 'Unknown rule'
  const own = drafted.refused.value?.findings.filter((one) => one.where === `rules.${index}` || one.where === `rules.${index}.id`) ?? []
  return (
    <fieldset>
      <legend>
        {title}
        <Button kind="bare" small label={`Remove ${title.toLowerCase()}`} onPress={onRemove}>
          <Icon name="trash" />
        </Button>
      </legend>
      {kinds.map((kind) => (
        <Body key={kind} kind={kind} at={`rules.${index}.${kind}`} body={rule[kind] as Record<string, unknown>} drafted={drafted} words={words} onChange={(body) => onChange({ ...rule, [kind]: body })} />
      ))}
      {own.map((one) => (
        <p key={one.message} class="wrong">
          {one.message}
        </p>
      ))}
    </fieldset>
  )
}

interface BodyProps {
  kind: Kind
  at: string
  body: Record<string, unknown>
  drafted: Drafted
  words: Vocabulary
  onChange(body: Record<string, unknown>): void
}

function Body({ kind, at, body, drafted, words, onChange }: BodyProps) {
  const { fields } = FORMS[kind]
  const named = new Set(fields.map((field) => `${at}.${field.key}`))
  const others = drafted.refused.value?.findings.filter((one) => (one.where === at || one.where.startsWith(`${at}.`)) && ![...named].some((name) => one.where === name || one.where.startsWith(`${name}.`))) ?? []
  return (
    <>
      <p class="quiet">{sentencesOf({ [kind]: body })[0]}</p>
      {fields.length ? (
        <div class="rule-fields">
          {fields.map((field) => (
            <One key={field.key} field={field} value={body[field.key]} wrong={drafted.wrong(`${at}.${field.key}`)} words={words} onChange={(value) => onChange(withField(body, field, value))} />
          ))}
        </div>
      ) : (
        <p class="quiet">Its parts are changed as text: YAML or JSON.</p>
      )}
      {others.map((one) => (
        <p key={one.where + one.message} class="wrong">
          <code>{one.where.slice(at.length + 1)}</code> {one.message}
        </p>
      ))}
    </>
  )
}

interface OneProps {
  field: Field
  value: unknown
  wrong: { message: string; line?: number; column?: number } | null
  words: Vocabulary
  onChange(value: string | boolean): void
}

function One({ field, value, wrong, words, onChange }: OneProps) {
  const text = value === undefined || value === null ? '' : String(value)
  const label = field.label + (field.optional && field.type !== 'check' ? ' (optional)' : '')
  if (field.type === 'check') {
    return (
      <label class="check wide">
        <input type="checkbox" checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} /> {field.label}
      </label>
    )
  }
  if (field.type === 'cel') return <div class="wide"><CelField label={label} value={text} words={words} mistake={wrong} onInput={onChange} /></div>
  return (
    <Labelled label={label} wrong={wrong?.message} hint={field.hint} wide={field.type !== 'number'}>
      {(id) =>
        field.type === 'choice' ? (
          <select id={id} class="field" value={text || (field.options?.[0]?.value ?? '')} onChange={(event) => onChange(event.currentTarget.value)}>
            {field.options?.map((one) => (
              <option key={one.value} value={one.value}>
                {one.label}
              </option>
            ))}
          </select>
        ) : (
          <span class="with-unit">
            {field.type === 'number' ? (
              <input id={id} class="field" type="number" min={0} step="any" aria-invalid={wrong ? 'true' : undefined} value={text} onInput={(event) => onChange(event.currentTarget.value)} />
            ) : (
              <input id={id} class="field" type="text" aria-invalid={wrong ? 'true' : undefined} value={text} onInput={(event) => onChange(event.currentTarget.value)} />
            )}
            {field.unit ? <span class="quiet">{field.unit}</span> : null}
          </span>
        )
      }
    </Labelled>
  )
}

/** A whole number. A sign alone, or nothing, is one that is begun: it stays what it was until there is one, and is shown again on leaving. */
function Whole({ id, value, onChange }: { id: string; value: number; onChange(next: number): void }) {
  // What is being typed is shown as it is typed, whatever else is drawn again meanwhile.
  const typed = useSignal<string | null>(null)
  return (
    <input
      id={id}
      class="field"
      type="number"
      step={1}
      value={typed.value ?? String(value)}
      onInput={({ currentTarget: field }) => {
        typed.value = field.value
        if (!Number.isNaN(field.valueAsNumber)) onChange(field.valueAsNumber)
      }}
      onBlur={() => (typed.value = null)}
    />
  )
}

interface LabelledProps {
  label: string
  wrong?: string | undefined
  hint?: string | undefined
  wide?: boolean
  children: (id: string) => ComponentChildren
}

export function Labelled({ label, wrong, hint, wide = false, children }: LabelledProps) {
  const id = useId()
  return (
    <div class={wide ? 'labelled wide' : 'labelled'}>
      <label for={id}>{label}</label>
      {children(id)}
      {wrong ? <div class="wrong" id={`${id}-wrong`}>{wrong}</div> : hint ? <small>{hint}</small> : null}
    </div>
  )
}
