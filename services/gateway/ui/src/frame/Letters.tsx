/** The switch for keys of a single letter. */
import { keep } from './kept.ts'
import { letters } from './keys.ts'

export function Letters() {
  return (
    <div class="switch">
      <label>
        <input type="checkbox" checked={!letters.value} onChange={(event) => keep('letters', event.currentTarget.checked ? '' : 'off')} /> Keys of a single letter, digit or
        sign
      </label>
      <p>
        Switch them off if you speak to your computer, or if keys that are hit by mistake do things. Arrows, Enter, Space, Escape and keys with Ctrl work on.
        This browser remembers it.
      </p>
    </div>
  )
}
