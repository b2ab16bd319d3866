/** Dialogs on the browser's own <dialog>: focus stays inside, Escape closes, the rest of the page is inert. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { requestKey } from '../api/client.ts'
import { ApiError } from '../api/error.ts'
import { asked } from './asked.ts'
import { Button } from './Button.tsx'
import { ErrorCard, toast } from './say.tsx'

export interface DialogProps {
  title: string
  onClose(): void
  children: ComponentChildren
  wide?: boolean
  /** Whether a press beside it leaves it open: for what can not be shown again. */
  keep?: boolean
}

/** A dialog that is open for as long as it is drawn. */
export function Dialog({ title, onClose, children, wide = false, keep = false }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null)
  const beside = useRef(false)
  const id = useId()
  useLayoutEffect(() => {
    const before = document.activeElement
    box.current?.showModal()
    // Once it is gone: as long as it is there, nothing beside it takes the focus.
    return () =>
      queueMicrotask(() => {
        // What opened it may be gone by what was confirmed: then the page has the focus, not nothing.
        if (before instanceof HTMLElement && before.isConnected) before.focus()
        else document.getElementById('page')?.focus({ preventScroll: true })
      })
  }, [])
  return (
    <dialog
      ref={box}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onClose={onClose}
      // Only what began beside it closes it: a text that is marked may end there.
      onPointerDown={(event) => (beside.current = event.target === box.current)}
      onClick={(event) => {
        if (!keep && beside.current && event.target === box.current) box.current?.close()
      }}
    >
      <div class="body">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  )
}

export interface Confirmed {
  reason: string
  /** Names what is confirmed: pass it to `send`, so that trying again after an outage does it once. */
  key: string
}

export interface Confirmation {
  title: string
  /** What will happen, in a sentence with numbers: "Deploys 4.2.0 to 12 targets in prod-eu at once." */
  consequence: ComponentChildren
  /** The word on the button: the very thing that is done. */
  verb: string
  danger?: boolean
  /** Whether a reason is asked for, and must be given. */
  reason?: 'optional' | 'required' | undefined
  /** More of a form, between the consequence and the reason. */
  more?: ComponentChildren
  /** Does it; an error is shown in the dialog, which stays open. */
  act(confirmed: Confirmed): Promise<unknown>
}

/** Ask before something is done. Works anywhere: the frame draws it. */
export function confirm(confirmation: Confirmation): void {
  asked.value = confirmation
}

/** Where `confirm` shows; drawn once, by the frame. */
export default function Confirmations() {
  const now = asked.value
  return now ? <Ask key={now.title} asked={now} onDone={() => (asked.value = null)} /> : null
}

function Ask({ asked: { title, consequence, verb, danger, reason: wants, more, act }, onDone }: { asked: Confirmation; onDone(): void }) {
  const reason = useSignal('')
  const busy = useSignal(false)
  const error = useSignal<ApiError | null>(null)
  const id = useId()
  const key = useRef('')
  const left = useRef(false)
  const close = () => {
    left.current = true
    onDone()
  }
  const lacking = wants === 'required' && !reason.value.trim()
  const go = async () => {
    if (busy.peek() || lacking) return
    busy.value = true
    error.value = null
    try {
      key.current ||= requestKey()
      await act({ reason: reason.peek().trim(), key: key.current })
      // Whoever left it while it was sent may be in another dialog by now.
      if (!left.current) onDone()
    } catch (failure) {
      error.value = failure instanceof ApiError ? failure : new ApiError(0, String(failure))
      if (left.current) toast('failed', `${verb}: ${error.value.message}`)
      // What was refused is a new request when it is mended; what got no answer is the same one.
      if (!error.value.passing) key.current = ''
    } finally {
      busy.value = false
    }
  }
  return (
    <Dialog title={title} onClose={close}>
      <div class="consequence">{consequence}</div>
      {more}
      {wants ? (
        <div class="labelled">
          <label for={id}>Reason{wants === 'optional' ? ' (optional)' : ''}</label>
          <textarea
            id={id}
            class="field"
            rows={2}
            maxLength={500}
            value={reason}
            required={wants === 'required'}
            onInput={(event) => (reason.value = event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) void go()
            }}
          />
          <small>It is recorded with your name.</small>
        </div>
      ) : null}
      {error.value ? <ErrorCard error={error.value} /> : null}
      <div class="foot">
        <Button onPress={close}>Cancel</Button>
        <button
          type="button"
          class={danger ? 'btn danger primary' : 'btn primary'}
          aria-disabled={lacking || busy.value ? 'true' : undefined}
          title={lacking ? 'Give a reason first.' : undefined}
          onClick={() => void go()}
        >
          {busy.value ? 'sending…' : verb}
        </button>
      </div>
    </Dialog>
  )
}
