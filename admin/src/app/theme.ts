import { createTheme, type CSSVariablesResolver } from '@mantine/core'

/** Colours are chosen so that text has a contrast of 4.5 to 1 at least, in light and in dark (WCAG 2.2 AA). */
export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 7 },
  cursorType: 'pointer',
  defaultRadius: 'md',
  respectReducedMotion: true,
  components: {
    // Inside text a link has to be told apart by more than its colour.
    Anchor: { defaultProps: { underline: 'always' } },
  },
})

/** Mantine's dimmed text and its `light` variants are too pale for AA. */
export const variables: CSSVariablesResolver = ({ colors }) => {
  const names = ['indigo', 'green', 'red', 'orange', 'gray', 'blue', 'grape', 'yellow'] as const
  const light = Object.fromEntries(names.map((name) => [`--mantine-color-${name}-light-color`, colors[name][9]]))
  const dark = Object.fromEntries(names.map((name) => [`--mantine-color-${name}-light-color`, colors[name][2]]))
  return {
    variables: {},
    light: {
      ...light,
      // Darker than the darkest shade of Mantine, which are pale for these.
      '--mantine-color-green-light-color': '#1a5e2a',
      '--mantine-color-orange-light-color': '#8a3300',
      '--mantine-color-yellow-light-color': '#7a4300',
      '--mantine-color-red-light-color': '#9c1c1c',
      '--mantine-color-dimmed': '#4f565d',
      '--mantine-color-anchor': '#364fc7',
      '--mantine-color-error': '#b31d1d',
      '--mantine-color-placeholder': '#5c636a',
    },
    dark: {
      ...dark,
      '--mantine-color-dimmed': '#b1b3b8',
      '--mantine-color-anchor': '#a5b9ff',
      '--mantine-color-error': '#ff9d9d',
      '--mantine-color-placeholder': '#a6a8ad',
    },
  }
}
