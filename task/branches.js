'use strict';
// Machine code calls the same function from many places, each time by another distance. Written as the function's place
// instead, all calls of it are the same bytes, and a binary packs a twentieth smaller. What this changes it changes back
// exactly, whatever the bytes are. (For x86 as in the E8 call translation of LZX, [MS-PATCH] 2.4.)

/** Rewrites the branches of a `platform`'s binary in place, before it is packed. */
const toPlaces = (content, platform) => translate(content, platform, placeOf, 1);

/** Puts `content` back as it was built, in place. */
const toDistances = (content, platform) => translate(content, platform, distanceOf, -1);

function translate(content, platform, x86, sign) {
  return platform.endsWith('-arm64') ? translateArm(content, sign) : translateX86(content, x86);
}

/** CALL and JMP with a distance of 32 bits: E8, E9. */
function translateX86(content, change) {
  const last = content.length - 5;
  for (let at = 0; at <= last; at += 1) {
    if ((content[at] & 0xfe) === 0xe8) {
      content.writeInt32LE(change(content.readInt32LE(at + 1), at + 1, content.length), at + 1);
      at += 4;
    }
  }
  return content;
}

// Both map the distances that lead from `at` to a place in the content, and the places, onto each other; all other values,
// which are no branches, stay.
function placeOf(distance, at, length) {
  if (distance < -at || distance >= length) return distance;
  return distance < length - at ? distance + at : distance - length;
}

function distanceOf(place, at, length) {
  if (place < -at || place >= length) return place;
  return place >= 0 ? place - at : place + length;
}

/** BL with a distance of 26 bits, counted in instructions. */
function translateArm(content, sign) {
  for (let at = 0; at + 4 <= content.length; at += 4) {
    if ((content[at + 3] & 0xfc) === 0x94) {
      const word = content.readUInt32LE(at);
      content.writeUInt32LE((0x94000000 | ((word + sign * (at / 4)) & 0x3ffffff)) >>> 0, at);
    }
  }
  return content;
}

module.exports = { toDistances, toPlaces };
