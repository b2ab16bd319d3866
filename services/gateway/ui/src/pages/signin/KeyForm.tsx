/** The form that signs in with an API key. */
import { useSignal } from '@preact/signals'
import { useId } from 'preact/hooks'
import { ApiError } from '../../api/error.ts'
import { signIn } from '../../session.ts'

export function KeyForm({ onDone }: { onDone?: () => void }) {
  const id = useId()
  const key = useSignal('')
  const busy = useSignal(false)
  const wrong = useSignal('')
  const submit = async (event: Event) => {
    event.preventDefault()
    if (busy.peek()) return
    const typed = key.peek().trim()
    if (!typed) {
      wrong.value = 'Paste an API key.'
      return
    }
    busy.value = true
    wrong.value = ''
    try {
      await signIn(typed)
      onDone?.()
    } catch (failure) {
      wrong.value = failure instanceof ApiError ? failure.message : String(failure)
    } finally {
      busy.value = false
    }
  }
  return (
    <form class="key-form" onSubmit={(event) => void submit(event)}>
      <div class="labelled">
        <label for={id}>API key</label>
        <input
          id={id}
          class="field mono"
          type="password"
          name="api-key"
          autocomplete="current-password"
          spellcheck={false}
          autofocus
          value={key}
          aria-invalid={wrong.value ? 'true' : undefined}
          aria-describedby={`${id}-wrong`}
          onInput={(event) => (key.value = event.currentTarget.value)}
        />
        <span id={`${id}-wrong`} class="wrong" role="alert">
          {wrong.value}
        </span>
      </div>
      <button class="btn primary" type="submit" aria-disabled={busy.value ? 'true' : undefined}>
        {busy.value ? 'Signing in' : 'Sign in'}
      </button>
    </form>
  )
}
