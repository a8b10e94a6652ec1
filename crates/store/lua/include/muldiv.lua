-- include: journal

-- a x b / c, rounded down, for whole numbers from 0 to 2^53-1 and c > 0; 2^53-1 where it is more.
-- A product may have 106 bits, twice what a double holds; so it is made bit by bit, as a quotient
-- and a remainder, and no number on the way passes 2^53.
local function muldiv(a, b, c)
  local product = a * b
  -- A product that comes out below 2^53 was exact.
  if product < 2 ^ 53 then return quotient(product, c) end
  local step, rest = quotient(a, c), math.fmod(a, c)
  local whole, remainder, bit = 0, 0, 2 ^ 52
  while bit >= 1 do
    local carry = 0
    if remainder >= c - remainder then
      remainder, carry = remainder - (c - remainder), 1
    else
      remainder = remainder + remainder
    end
    whole = whole + whole + carry
    if whole > MONEY_MAX then return MONEY_MAX end
    if b >= bit then
      b = b - bit
      if remainder >= c - rest then
        remainder, carry = remainder - (c - rest), 1
      else
        remainder, carry = remainder + rest, 0
      end
      -- The sum may round, but only where it is too much anyway.
      whole = whole + step + carry
      if whole > MONEY_MAX then return MONEY_MAX end
    end
    bit = bit / 2
  end
  return whole
end
