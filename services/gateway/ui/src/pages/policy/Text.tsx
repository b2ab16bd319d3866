/** A policy as text: everything that can be said of it. What can not be read is told with its line; the form keeps what was read last. */
import { useSignal, useSignalEffect } from '@preact/signals'
import { JSON_SCHEMA, YAMLException, dump, load } from 'js-yaml'
import { useEffect, useId, useMemo, useRef } from 'preact/hooks'
import { type Draft, draftFrom } from '../../rules/forms.ts'
import type { Drafted } from './useDraft.ts'

export interface TextProps {
  drafted: Drafted
  as: 'yaml' | 'json'
}

export default function Text({ drafted, as }: TextProps) {
  const id = useId()
  const write = (draft: Draft) => (as === 'yaml' ? dump(draft, { lineWidth: 100, noRefs: true }) : JSON.stringify(draft, null, 2))
  // There from the first look on: a field that fills itself a moment later grows under the reader's eyes.
  const first = useMemo(() => drafted.draft.peek(), [])
  const own = useRef(JSON.stringify(first))
  const text = useSignal(useMemo(() => write(first), []))
  const problem = drafted.unreadable
  useSignalEffect(() => {
    const draft = drafted.draft.value
    // What is typed here comes back as the draft: only what was changed elsewhere is written anew.
    if (JSON.stringify(draft) === own.current) return
    own.current = JSON.stringify(draft)
    text.value = write(draft)
    problem.value = ''
  })
  // Whoever leaves the text for the form goes on from what was read last.
  useEffect(() => () => void (problem.value = ''), [])
  const type = (next: string) => {
    text.value = next
    try {
      const read = draftFrom(as === 'yaml' ? load(next, { schema: JSON_SCHEMA }) : JSON.parse(next))
      if (typeof read === 'string') {
        problem.value = read
        return
      }
      problem.value = ''
      own.current = JSON.stringify(read)
      drafted.draft.value = read
    } catch (failure) {
      problem.value = failure instanceof YAMLException ? `${failure.reason}${failure.mark ? ` (line ${failure.mark.line + 1}, column ${failure.mark.column + 1})` : ''}` : String(failure instanceof Error ? failure.message : failure)
    }
  }
  return (
    <div class="policy-text labelled">
      <label for={id} class="sr">
        The policy as {as === 'yaml' ? 'YAML' : 'JSON'}
      </label>
      <textarea
        id={id}
        class="field"
        spellcheck={false}
        rows={Math.max(18, Math.min(40, text.value.split('\n').length + 2))}
        aria-invalid={problem.value ? 'true' : undefined}
        aria-describedby={`${id}-wrong`}
        value={text}
        onInput={(event) => type(event.currentTarget.value)}
      />
      <div id={`${id}-wrong`} class="wrong" aria-live="polite">
        {problem.value ? `This can not be read: ${problem.value}` : null}
      </div>
    </div>
  )
}
