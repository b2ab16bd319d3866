/** What a view says when it has nothing to show, can not show it, or has done something. */
import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import type { ApiError } from '../api/error.ts'
import { Glyph, Icon } from './base.tsx'
import { Button } from './Button.tsx'

/** Nothing here yet: what will appear, and the command that makes it appear. `page`: it is all that the page has, and so its heading. */
export function Empty({ title, children, command, page = false }: { title: string; children?: ComponentChildren; command?: string; page?: boolean }) {
  return (
    <div class="empty">
      {page ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children ? <div>{children}</div> : null}
      {command ? <Command text={command} /> : null}
    </div>
  )
}

/** A command to copy. */
export function Command({ text, label = 'Command' }: { text: string; label?: string }) {
  return (
    <div class="command">
      <pre tabIndex={0} role="region" aria-label={label}>
        {text}
      </pre>
      <Copy text={text} />
    </div>
  )
}

async function isCopied(text: string, near: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Pages that come over plain HTTP from another host have no clipboard; a text that is marked can be copied there. It stands beside
    // the button, since all but the dialog that is open can not be marked.
    const field = document.createElement('textarea')
    field.className = 'sr'
    field.value = text
    near.after(field)
    field.select()
    const copied = document.execCommand('copy')
    field.remove()
    near.focus()
    return copied
  }
}

/** Copies a text, and says that it did. */
export function Copy({ text, label = 'Copy' }: { text: string; label?: string }) {
  const copy = async (button: HTMLElement) => {
    if (await isCopied(text, button)) toast('healthy', 'Copied.')
    else toast('failed', 'This browser does not let the page copy: mark the text, and copy it yourself.')
  }
  return (
    <Button kind="bare" small label={label} onPress={(event) => void copy(event.currentTarget as HTMLElement)}>
      <Icon name="copy" />
    </Button>
  )
}

/** Something could not be read or done: what, where, and what to do. The rest of the page works on. */
export function ErrorCard({ error, what, retry, verb = 'Try again' }: { error: ApiError; what?: string; retry?: () => void; verb?: string }) {
  return (
    <div class="error-card" role="alert">
      <Glyph status="failed" />
      <div>
        {what ? <b>{what} </b> : null}
        {error.message}
      </div>
      {retry ? (
        <Button small onPress={() => retry()}>
          {verb}
        </Button>
      ) : null}
      {error.findings.length > 1 || error.findings[0]?.where ? (
        <ul>
          {error.findings.map((one) => (
            <li key={one.where + one.message}>
              {one.where ? <code>{one.where}</code> : null} {one.message}
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  )
}

/** The shape of what is on its way. */
export function Skeleton({ lines = 6 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, index) => (
        <i key={index} />
      ))}
    </div>
  )
}

interface Said {
  id: number
  status: 'healthy' | 'failed' | 'pending'
  text: string
  undo?: () => void
  verb?: string
}

const said = signal<readonly Said[]>([])
let count = 0

/** Say what was done; with `undo` for ten seconds, in which it can be taken back. A failure stays until it is closed; its `undo` mends it, by its own `verb`. */
export function toast(status: Said['status'], text: string, undo?: () => void, verb = 'Undo'): void {
  const id = (count += 1)
  said.value = [...said.peek().slice(-3), undo ? { id, status, text, undo, verb } : { id, status, text }]
  if (status !== 'failed') setTimeout(() => close(id), undo ? 10_000 : 4_000)
}

function close(id: number): void {
  said.value = said.peek().filter((one) => one.id !== id)
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {said.value.map(({ id, status, text, undo, verb }) => (
        <div key={id} class="toast" data-st={status}>
          <Glyph status={status} />
          <div>{text}</div>
          {undo ? (
            <Button
              small
              onPress={() => {
                undo()
                close(id)
              }}
            >
              {verb}
            </Button>
          ) : null}
          {undo && status !== 'failed' ? null : (
            <Button kind="bare" small label="Close" onPress={() => close(id)}>
              <Icon name="close" />
            </Button>
          )}
        </div>
      ))}
    </div>
  )
}
