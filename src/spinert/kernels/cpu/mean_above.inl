// Mean position of the cells above a threshold, as a segmentation network's point maps are read.

namespace spinert {
namespace {

// Sums over the cells taken: whole numbers but for `value`, so that no order of adding changes them.
struct Above {
    int64_t count = 0, x = 0, y = 0, z = 0;
    Sums value;

    // At most kSegment cells of a line: lanes of int cannot overflow, those of float add up few values.
    static constexpr int kSegment = 1024;
    __attribute__((always_inline)) void add(const float* cells, const uint8_t* mask, int length, int x0, int y0, int z0,
                                            Floats threshold) {
        const int32_t lane_numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
        const Ints numbers = load(lane_numbers);
        Ints columns = all(0), taken = all(0);
        Floats values = all(0.0f);
        for (int i = 0; i < length; i += 16) {
            const int rest = length - i;
            const Floats v = rest >= 16 ? load(cells + i) : load_part(cells + i, rest, -kInfinity);
            Ints above = bits_as<int32_t>(v > threshold);
            if (!any(above)) continue;
            if (mask) above = above & allowed_by(mask + i, smaller(16, rest));
            taken = taken - above;
            columns = columns + (above & (numbers + all(i)));
            values = values + bits_as<float>(above & bits_as<int32_t>(v));
        }
        if (!any(taken)) return;
        const int64_t in_line = total(taken);
        count += in_line;
        x += total(columns) + in_line * x0;
        y += in_line * y0;
        z += in_line * z0;
        value.add(values);
    }

    // All bits of the first `count` lanes set where the mask is not 0.
    __attribute__((always_inline)) static Ints allowed_by(const uint8_t* mask, int count) {
        int32_t lanes[16] = {};
        for (int i = 0; i < count; ++i) lanes[i] = mask[i];
        return load(lanes) > all(0);
    }

    __attribute__((always_inline)) static int64_t total(Ints v) {
        int32_t lanes[16];
        store(v, lanes);
        int64_t sum = 0;
        for (int32_t lane : lanes) sum += lane;
        return sum;
    }
};

static void mean_above_map(const float* map, Maps shape, float threshold, const uint8_t* mask, Blocks blocks,
                           float* tops, float* point, int32_t* count, float* confidence) {
    Above above;
    const bool finite = survey(map, shape, blocks, tops).finite;
    for (int line = 0; finite && line < shape.lines(); ++line) {
        if (!(tops[line / blocks.lines] > threshold)) continue;
        for (int x = 0; x < shape.width; x += Above::kSegment) {
            const size_t at = static_cast<size_t>(line) * shape.width + x;
            const int length = smaller(Above::kSegment, shape.width - x);
            above.add(map + at, mask ? mask + at : nullptr, length, x, line % shape.height, line / shape.height,
                      all(threshold));
        }
    }
    *count = static_cast<int32_t>(above.count);
    if (above.count == 0) {
        write_nan(point, shape.axes);
        *confidence = 0.0f;
        return;
    }
    const double n = static_cast<double>(above.count);
    write_point(static_cast<double>(above.x) / n, static_cast<double>(above.y) / n, static_cast<double>(above.z) / n,
                shape.axes, point);
    *confidence = static_cast<float>(above.value.total() / n);
}

}  // namespace
}  // namespace spinert
