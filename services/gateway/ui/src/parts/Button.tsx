/** Buttons that do something. One that can not work now says why, instead of being dead. */
import type { ComponentChildren } from 'preact'
import { at } from '../router/location.ts'

export interface ButtonProps {
  onPress(event: MouseEvent): void
  children: ComponentChildren
  /** Why it can not be done; empty: it can. */
  off?: string
  kind?: 'plain' | 'primary' | 'danger' | 'bare'
  small?: boolean
  /** For a button that shows only an icon. */
  label?: string
}

export const PAST = 'You are looking at the past. Go back to live to act.'

/** A button for what only shows something: it works in the past too. */
export function Button({ onPress, children, off = '', kind = 'plain', small = false, label }: ButtonProps) {
  const names = ['btn', kind === 'plain' ? '' : kind, small ? 'small' : '', label ? 'square' : ''].filter(Boolean).join(' ')
  return (
    <button
      type="button"
      class={names}
      title={off || label || undefined}
      {...(label ? { 'aria-label': label } : {})}
      aria-disabled={off ? 'true' : undefined}
      onClick={(event) => {
        if (!off) onPress(event)
      }}
    >
      {children}
    </button>
  )
}

/** A button that changes something: off while the past is looked at. */
export function Action(props: ButtonProps) {
  return <Button {...props} off={at.value !== null ? PAST : (props.off ?? '')} />
}
