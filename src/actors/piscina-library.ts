/** The only importer of piscina. */
export { move, Piscina, transferableSymbol, valueSymbol } from 'piscina'
