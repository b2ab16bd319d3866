/** Light, dark, or as the system has it. A cookie keeps it, so that the gateway sends the page in the right theme from the first byte. */
import { signal } from '@preact/signals'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const root = document.documentElement
const there = root.dataset['theme']

export const theme = signal<Theme>(there === 'light' || there === 'dark' ? there : 'auto')

export function setTheme(next: Theme): void {
  theme.value = next
  root.dataset['theme'] = next
  document.cookie = `signalbox_theme=${next}; Path=/; Max-Age=31536000; SameSite=Strict`
}

export function nextTheme(): void {
  setTheme(THEMES[(THEMES.indexOf(theme.peek()) + 1) % THEMES.length] ?? 'auto')
}
