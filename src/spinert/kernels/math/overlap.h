// Intersection over union of boxes and of rotated boxes.
#pragma once

#include "numbers.h"
#include "trigonometry.h"

namespace spinert {

template <class Number>
struct BoxOf {
    Number left, top, right, bottom;
    Number area;  // 0 of an empty box, nan of one with a value that is not finite
};

// From x0, y0, x1, y1.
SPINERT_BOTH BoxOf<double> box_of(const float* corners) {
    const double left = corners[0], top = corners[1], right = corners[2], bottom = corners[3];
    const double width = right - left, height = bottom - top;
    const double doubt = (width - width) + (height - height);  // nan where a value is not finite
    return {left, top, right, bottom, (width > 0.0 && height > 0.0 ? width * height : 0.0) + doubt};
}

// 0 where they do not overlap, nan where an area is nan.
template <class Number>
SPINERT_BOTH Number share_of_union(Number shared, Number area_a, Number area_b) {
    const Number zero = like(0.0, shared);
    const Number united = area_a + area_b - shared;
    const Number ratio = shared / select(zero < united, united, like(1.0, shared));
    return select(zero < shared, ratio, zero) + (united - united);
}

template <class Number>
SPINERT_BOTH Number shared_area(const BoxOf<Number>& a, const BoxOf<Number>& b) {
    const Number zero = like(0.0, a.left);
    const Number width = greater(zero, lesser(a.right, b.right) - greater(a.left, b.left));
    const Number height = greater(zero, lesser(a.bottom, b.bottom) - greater(a.top, b.top));
    return width * height;
}

template <class Number>
struct RotatedBoxOf {
    Number x, y, half_width, half_height, cosine, sine;
    Number radius;  // of the circle around it
    Number area;    // as above
};

// From cx, cy, width, height, radians. Too large an angle counts as not finite.
SPINERT_BOTH RotatedBoxOf<double> rotated_box_of(const float* values) {
    const double x = values[0], y = values[1], width = values[2], height = values[3], radians = values[4];
    const bool known = is_finite(x + y + width + height) && magnitude(radians) <= kMostRadians;
    if (!known) return {0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, not_a_number()};
    const Direction along = direction_of(radians);
    const bool empty = !(width > 0.0 && height > 0.0);
    const double w = empty ? 0.0 : 0.5 * width, h = empty ? 0.0 : 0.5 * height;
    return {x, y, w, h, along.cosine, along.sine, square_root(w * w + h * h), 4.0 * w * h};
}

// The side of a box: its extent and what to multiply a distance with to have it in sides.
template <class Number>
struct Side {
    Number x, y, per_x, per_y;
};

template <class Number>
SPINERT_BOTH Side<Number> side_along(Number x, Number y) {
    const Number zero = like(0.0, x), one = like(1.0, x), least = like(1e-200, x);
    const auto has_x = least < magnitude(x), has_y = least < magnitude(y);
    return {select(has_x, x, zero), select(has_y, y, zero), one / select(has_x, x, one), one / select(has_y, y, one)};
}

// Integral of y dx along a side that begins at (x, y), where |x| <= half_width, with y held within +-half_height.
template <class Number>
SPINERT_BOTH Number integral_within(Number x, Number y, const Side<Number>& side, Number half_width,
                                    Number half_height) {
    const Number zero = like(0.0, x), one = like(1.0, x);
    const Number left = (zero - half_width - x) * side.per_x, right = (half_width - x) * side.per_x;
    const Number begin = clamped(lesser(left, right), zero, one), end = clamped(greater(left, right), zero, one);
    const Number above = (zero - half_height - y) * side.per_y, below = (half_height - y) * side.per_y;
    // from `rise` to `fall` y lies within the limits, before and after it stays at one
    const Number rise = clamped(lesser(above, below), begin, end), fall = clamped(greater(above, below), begin, end);
    const auto y_at = [&](Number place) { return clamped(y + place * side.y, zero - half_height, half_height); };
    const Number between = like(0.5, x) * (y_at(rise) + y_at(fall)) * (fall - rise);
    return side.x * (y_at(begin) * (rise - begin) + between + y_at(end) * (end - fall));
}

// In the frame of `a`, whose sides then lie along the axes, the area that b shares with it is the integral of y dx
// round b with x and y held within a (Green's theorem; the strip of b at an x has the length upper y minus lower y). No
// list of polygon corners, so nothing depends on which side of a line a corner lies that touches it. What is left of
// boxes that merely touch is rounding, about 1e-16 of the square of their reach, and counts as 0.
template <class Number>
SPINERT_BOTH Number shared_area(const RotatedBoxOf<Number>& a, const RotatedBoxOf<Number>& b) {
    const Number dx = b.x - a.x, dy = b.y - a.y, two = like(2.0, dx);
    const Number x = dx * a.cosine + dy * a.sine, y = dy * a.cosine - dx * a.sine;
    const Number cosine = b.cosine * a.cosine + b.sine * a.sine, sine = b.sine * a.cosine - b.cosine * a.sine;
    const Number width_x = b.half_width * cosine, width_y = b.half_width * sine;
    const Number height_x = like(0.0, dx) - b.half_height * sine, height_y = b.half_height * cosine;
    const Side<Number> width = side_along(two * width_x, two * width_y);
    const Side<Number> height = side_along(two * height_x, two * height_y);

    const Number first_x = x - width_x - height_x, first_y = y - width_y - height_y;
    const Number w = a.half_width, h = a.half_height;
    const Number far_width = integral_within(first_x + two * height_x, first_y + two * height_y, width, w, h);
    const Number near_width = integral_within(first_x, first_y, width, w, h);
    const Number far_height = integral_within(first_x + two * width_x, first_y + two * width_y, height, w, h);
    const Number near_height = integral_within(first_x, first_y, height, w, h);
    const Number shared = (far_width - near_width) - (far_height - near_height);
    const Number reach = a.radius + b.radius, some = lesser(shared, lesser(a.area, b.area));
    return select(like(1e-14, dx) * reach * reach < some, some, like(0.0, dx));
}

// Whether the circles around two boxes meet; where they do not, the shared area is 0.
template <class Number>
SPINERT_BOTH auto in_reach(const RotatedBoxOf<Number>& a, const RotatedBoxOf<Number>& b) {
    const Number dx = b.x - a.x, dy = b.y - a.y, reach = a.radius + b.radius;
    return dx * dx + dy * dy <= like(1.0 + 1e-9, dx) * reach * reach;
}

// Whether intersection over union is above a threshold; not where an area is nan.
template <class Number>
SPINERT_BOTH auto share_exceeds(Number shared, Number area_a, Number area_b, Number threshold) {
    return threshold * (area_a + area_b - shared) < shared;
}

// Intersection over union of two boxes of a kind.
template <class Box>
SPINERT_BOTH auto overlap(const Box& a, const Box& b) {
    return share_of_union(shared_area(a, b), a.area, b.area);
}

template <class Box, class Number>
SPINERT_BOTH auto overlap_exceeds(const Box& a, const Box& b, Number threshold) {
    return share_exceeds(shared_area(a, b), a.area, b.area, threshold);
}

}  // namespace spinert
