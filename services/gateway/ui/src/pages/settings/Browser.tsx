/** What this browser keeps of how the pages look and which keys they take. */
import { useId } from 'preact/hooks'
import { density } from '../../frame/density.ts'
import { keep } from '../../frame/kept.ts'
import { Letters } from '../../frame/Letters.tsx'
import { THEMES, setTheme, theme } from '../../frame/theme.ts'
import { Card } from '../../parts/base.tsx'

const THEME = { auto: 'As the system', light: 'Light', dark: 'Dark' }

export function Browser() {
  return (
    <>
      <div class="head">
        <h1>This browser</h1>
        <p>How the pages look and which keys they take. This browser remembers it; nobody else sees it.</p>
      </div>
      <Card title="Look">
        <div class="in looks">
          <Choice title="Theme" value={theme.value} onPick={setTheme} options={THEMES.map((one) => [one, THEME[one]])} />
          <Choice
            title="Rows"
            value={density.value}
            onPick={(next) => keep('density', next)}
            options={[
              ['', 'Comfortable'],
              ['compact', 'Compact: more of them on the screen'],
            ]}
          />
        </div>
      </Card>
      <Card title="Keys">
        <div class="in">
          <Letters />
        </div>
      </Card>
    </>
  )
}

interface ChoiceProps<T extends string> {
  title: string
  value: T
  options: readonly (readonly [value: T, label: string])[]
  onPick(value: T): void
}

function Choice<T extends string>({ title, value, options, onPick }: ChoiceProps<T>) {
  const name = useId()
  return (
    <fieldset class="choice">
      <legend>{title}</legend>
      {options.map(([one, label]) => (
        <label key={one}>
          <input type="radio" name={name} checked={one === value} onChange={() => onPick(one)} /> {label}
        </label>
      ))}
    </fieldset>
  )
}
