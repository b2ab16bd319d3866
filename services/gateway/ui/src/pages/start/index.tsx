/** The first-run guide: from an empty workspace to a version that runs, a step at a time. */
import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { requestKey, sendTo, workspaceId } from '../../api/client.ts'
import { ApiError } from '../../api/error.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Glyph } from '../../parts/base.tsx'
import { PAST } from '../../parts/Button.tsx'
import { Command, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { at, href } from '../../router/location.ts'
import { curl } from './curl.ts'
import { Last } from './Last.tsx'
import { STEPS, type Step, type StepKey, type There, lacking, madeOf, nextStep } from './plan.ts'
import { useThere } from './useThere.ts'
import { uuid } from './uuid.ts'
import './start.css'

export default function StartPage() {
  useCrumbs([{ label: 'First-run guide' }])
  const { there, error, reload } = useThere()
  const ids = useRef(Object.fromEntries(STEPS.map(({ key }) => [key, uuid()])) as Record<StepKey, string>)
  const next = there ? nextStep(there) : undefined
  const done = there ? STEPS.filter(({ key }) => there[key] !== null).length : 0
  const current = useRef<HTMLLIElement>(null)
  const wasAt = useRef<StepKey | undefined>(undefined)
  useKeys([{ key: 'j', does: 'to the step that is next', run: () => current.current?.querySelector<HTMLElement>('input, button')?.focus() }])
  // Whoever sent a step goes on with the next one without reaching for it.
  useLayoutEffect(() => {
    const moved = wasAt.current !== undefined && wasAt.current !== next?.key
    wasAt.current = next?.key
    if (moved && document.activeElement === document.body) current.current?.querySelector<HTMLElement>('input, a, button')?.focus()
  }, [next?.key])
  return (
    <div class="sheet start">
      <div class="head">
        <h1>From nothing to a deployed version</h1>
        <p>
          Six steps, each with a form here and the same as a command for your shell. The commands take your key from <code>SIGNALBOX_API_KEY</code>:{' '}
          <a href={href('settings', { section: 'keys' })}>create one</a>. What you do in the shell ticks off here as well.
        </p>
      </div>
      {error ? <ErrorCard error={error} what="What is there could not be read:" retry={reload} /> : null}
      {there ? (
        <>
          <p class="sr" role="status">
            {done} of {STEPS.length} steps are done{next ? `; the next one: ${next.title}` : ''}.
          </p>
          <ol class="steps-of-start">
            {STEPS.map((step, index) => (
              <li key={step.key} ref={step === next ? current : null} data-st={there[step.key] ? 'healthy' : step === next ? 'progressing' : 'pending'} aria-current={step === next ? 'step' : undefined}>
                <span class="mark-of-step" aria-hidden="true">
                  {there[step.key] ? <Glyph status="healthy" /> : index + 1}
                </span>
                <div>
                  <h2>
                    {step.title}
                    {there[step.key] ? (
                      <span class="made">
                        <span class="sr">done: </span>
                        {madeOf(step.key, there)}
                      </span>
                    ) : null}
                  </h2>
                  {step === next ? <Now key={step.key} step={step} there={there} ids={ids.current} /> : null}
                </div>
              </li>
            ))}
            <Last there={there} />
          </ol>
        </>
      ) : error ? null : (
        <Skeleton lines={10} />
      )}
    </div>
  )
}

/** The step that is next: a form, and the command that does the same. */
function Now({ step, there, ids }: { step: Step; there: There; ids: Record<StepKey, string> }) {
  const values = useSignal(Object.fromEntries(step.fields.map(({ name, value }) => [name, value])))
  const state = useSignal<'idle' | 'sending' | 'waiting'>('idle')
  const error = useSignal<ApiError | null>(null)
  const keys = useRef<string[]>([])
  const calls = step.calls(values.value, there, ids)
  const base = `/api/v1/workspaces/${workspaceId.value}`
  const off = at.value !== null ? PAST : lacking(step, values.value)
  const go = async (event: Event) => {
    event.preventDefault()
    if (off || state.peek() !== 'idle') return
    state.value = 'sending'
    error.value = null
    try {
      for (const [index, call] of calls.entries()) {
        keys.current[index] ??= requestKey()
        await sendTo(call.method, base + call.path, call.body, undefined, keys.current[index])
      }
      state.value = 'waiting'
    } catch (failure) {
      error.value = failure instanceof ApiError ? failure : new ApiError(0, String(failure))
      if (!error.value.passing) keys.current = []
      state.value = 'idle'
    }
  }
  return (
    <>
      <p class="quiet">{step.why}</p>
      <form onSubmit={(event) => void go(event)} noValidate>
        <div class="fields">
          {step.fields.map(({ name, label, hint }) => (
            <div key={name} class="labelled">
              <label for={`start-${name}`}>{label}</label>
              <input
                id={`start-${name}`}
                class="field"
                value={values.value[name] ?? ''}
                autocomplete="off"
                spellcheck={false}
                onInput={(event) => {
                  keys.current = []
                  values.value = { ...values.peek(), [name]: event.currentTarget.value }
                }}
              />
              {hint ? <small>{hint}</small> : null}
            </div>
          ))}
        </div>
        <div class="send">
          <button type="submit" class="btn primary" aria-disabled={off || state.value !== 'idle' ? 'true' : undefined} title={off || undefined}>
            {state.value === 'sending' ? 'sending…' : step.verb}
          </button>
          <span class="quiet" role="status">
            {state.value === 'waiting' ? `Waiting for ${step.waits} to be there…` : ''}
          </span>
        </div>
        {error.value ? <ErrorCard error={error.value} /> : null}
      </form>
      <details>
        <summary>The same in a shell</summary>
        <Command text={calls.map((call) => curl(call.method, location.origin + base + call.path, call.body)).join('\n')} />
      </details>
    </>
  )
}
